"""loadBalancer: which instance gets the next request, and what of the request decides it."""

from collections.abc import Iterator
from typing import Literal

from semafor.base import duration
from semafor.base.problem import Problem
from semafor.base.struct import Value
from semafor.ir import ConsistentHash, HashKey, LoadBalancer, Origin, SimpleBalancer, SlowStart
from semafor.planner.checks import problems, refused
from semafor.planner.checks.problems import at
from semafor.planner.traffic import locality
from semafor.planner.traffic.locality import LocalitySetting
from semafor.resources.istio import load_balancer as istio

_SIMPLE: dict[str, Literal["round_robin", "least_request", "random", "original"]] = {
    "UNSPECIFIED": "least_request",
    "LEAST_CONN": "least_request",  # the old word for LEAST_REQUEST
    "LEAST_REQUEST": "least_request",
    "ROUND_ROBIN": "round_robin",
    "RANDOM": "random",
    "PASSTHROUGH": "original",
}
_RING, _MOST_RING = 1024, 8_388_608  # places; the default is Istio's, the limit Envoy's
_TABLE, _MOST_TABLE = 65_537, 5_000_011  # both are Envoy's


class Balancing(Value):
    """`locality` is None where nothing was said of it: the mesh's own setting applies then."""

    balancer: LoadBalancer = SimpleBalancer()
    hash_key: HashKey | None = None
    locality: LocalitySetting | None = None


def read(settings: istio.LoadBalancerSettings) -> Balancing:
    return Balancing(
        balancer=_balancer(settings),
        hash_key=_hash_key(settings.consistent_hash),
        locality=locality.read(settings.locality_lb_setting),
    )


def mistakes(settings: istio.LoadBalancerSettings, origin: Origin) -> Iterator[Problem]:
    """What has no effect, or not the one that was meant."""
    yield from refused.fields(settings, origin, "simple", "consistent_hash", "locality_lb_setting", *_WARMING)
    if not _can_warm_up(settings):
        why = "only ROUND_ROBIN and LEAST_REQUEST warm up"
        yield from (problems.without_effect(origin, name, why) for name in _written_warming(settings))
    if settings.consistent_hash:
        yield from _hash_mistakes(settings.consistent_hash, at(origin, "consistentHash"))
    if settings.locality_lb_setting:
        yield from locality.mistakes(settings.locality_lb_setting, at(origin, "localityLbSetting"))


_WARMING = ("warmup", "warmup_duration_secs")


def _balancer(settings: istio.LoadBalancerSettings) -> LoadBalancer:
    if hashing := settings.consistent_hash:
        if hashing.maglev:
            wanted = hashing.maglev.table_size
            return ConsistentHash(algorithm="maglev", size=wanted if _is_table(wanted) else _TABLE)
        return ConsistentHash(size=min(_ring(hashing) or _RING, _MOST_RING))
    policy = _SIMPLE.get(settings.simple or "UNSPECIFIED", "least_request")
    return SimpleBalancer(policy=policy, slow_start=_slow_start(settings) if _can_warm_up(settings) else None)


def _ring(hashing: istio.ConsistentHashLB) -> int:
    return hashing.ring_hash.minimum_ring_size if hashing.ring_hash else hashing.minimum_ring_size


def _written_warming(settings: istio.LoadBalancerSettings) -> Iterator[str]:
    if settings.warmup:
        yield "warmup"
    if settings.warmup_duration_secs:
        yield "warmupDurationSecs"


def _can_warm_up(settings: istio.LoadBalancerSettings) -> bool:
    """Envoy can only warm instances up under two of its policies."""
    policy = _SIMPLE.get(settings.simple or "UNSPECIFIED")
    return settings.consistent_hash is None and policy in ("round_robin", "least_request")


def _slow_start(settings: istio.LoadBalancerSettings) -> SlowStart | None:
    if warmup := settings.warmup:
        return SlowStart(
            window_s=duration.parse(warmup.duration),
            aggression=warmup.aggression or 1.0,
            min_percent=warmup.minimum_percent if warmup.minimum_percent is not None else 10.0,
        )
    if settings.warmup_duration_secs:
        return SlowStart(window_s=duration.parse(settings.warmup_duration_secs))
    return None


def _hash_key(hashing: istio.ConsistentHashLB | None) -> HashKey | None:
    if hashing is None:
        return None
    if hashing.http_header_name:
        return HashKey(kind="header", name=hashing.http_header_name)
    if cookie := hashing.http_cookie:
        ttl_s = duration.parse(cookie.ttl) if cookie.ttl is not None else None
        attributes = tuple((each.name, each.value) for each in cookie.attributes)
        return HashKey(kind="cookie", name=cookie.name, path=cookie.path, ttl_s=ttl_s, attributes=attributes)
    if hashing.http_query_parameter_name:
        return HashKey(kind="query", name=hashing.http_query_parameter_name)
    return HashKey(kind="source_ip")


def _hash_mistakes(hashing: istio.ConsistentHashLB, origin: Origin) -> Iterator[Problem]:
    if hashing.maglev and hashing.maglev.table_size and not _is_table(hashing.maglev.table_size):
        place = at(origin, "maglev.tableSize")
        message = f"{hashing.maglev.table_size} is not a prime number of at most {_MOST_TABLE}; {_TABLE} is taken"
        yield problems.invalid(place, message, "write a prime number")
    if not hashing.maglev and _ring(hashing) > _MOST_RING:
        place = at(origin, "ringHash.minimumRingSize" if hashing.ring_hash else "minimumRingSize")
        message = f"{_ring(hashing)} is more than a ring may have; {_MOST_RING} is taken"
        yield problems.invalid(place, message, f"write at most {_MOST_RING}")


def _is_table(size: int) -> bool:
    """Whether Envoy takes the number as the size of a Maglev table: a prime."""
    if not 1 < size <= _MOST_TABLE:
        return False
    return size == 2 or (size % 2 == 1 and all(size % divisor for divisor in range(3, int(size**0.5) + 1, 2)))
