"""A DestinationRule's traffic policy as a whole: its parts, and how one stands above another."""

from collections.abc import Iterator
from typing import Literal

from msgspec.structs import replace

from semafor.base import duration
from semafor.base.problem import Problem
from semafor.base.struct import Value
from semafor.ir import Origin, OutlierDetection, RetryBudget, Tunnel
from semafor.planner.checks import refused
from semafor.planner.checks.problems import at
from semafor.planner.traffic import balancing, outliers, pool, security
from semafor.planner.traffic.balancing import Balancing
from semafor.planner.traffic.pool import Pool
from semafor.planner.traffic.security import Security
from semafor.resources.istio import destination_rule as istio

_PERCENT, _CONCURRENCY = 20.0, 3
_VERSIONS: dict[str, Literal["v1", "v2"]] = {"V1": "v1", "V2": "v2"}


class Policy(Value, cache_hash=True):
    """What was said, None where nothing was. `ports` holds the settings of single ports."""

    balancing: Balancing | None = None
    pool: Pool | None = None
    outlier: OutlierDetection | None = None
    security: Security | None = None
    tunnel: Tunnel | None = None
    proxy_protocol: Literal["", "v1", "v2"] = ""
    retry_budget: RetryBudget | None = None
    ports: "tuple[tuple[int, Policy], ...]" = ()


NOTHING = Policy()


def merge(base: Policy, over: Policy, port: int) -> Policy:
    """The policy of one port: `over` where it says something, else `base`.

    The settings of `over` for this very port replace balancing, pool, outliers and security, and do not inherit them.
    Source: Istio's MergeTrafficPolicy.
    """
    if over is NOTHING:
        return base
    own = next((settings for number, settings in over.ports if number == port), None)
    whole = Policy(
        balancing=over.balancing or base.balancing,
        pool=over.pool or base.pool,
        outlier=over.outlier or base.outlier,
        security=over.security or base.security,
    )
    return replace(
        own or whole,
        tunnel=over.tunnel or base.tunnel,
        proxy_protocol=over.proxy_protocol or base.proxy_protocol,
        retry_budget=over.retry_budget or base.retry_budget,
    )


def read(said: istio.TrafficPolicy | None, origin: Origin) -> tuple[Policy, tuple[Problem, ...]]:
    """The policy, and what of it has no effect."""
    if said is None:
        return NOTHING, ()
    found = [*refused.fields(said, origin, *_OF_ALL, *_OF_PORTS), *_mistakes(said, origin)]
    ports = []
    for index, settings in enumerate(said.port_level_settings):
        place = at(origin, f"portLevelSettings[{index}]")
        found += [*refused.fields(settings, place, *_OF_PORTS, "port"), *_mistakes(settings, place)]
        ports.append((settings.port.number if settings.port else 0, _own(settings, place)))
    whole = replace(
        _own(said, origin),
        tunnel=_tunnel(said.tunnel),
        proxy_protocol=_VERSIONS[said.proxy_protocol.version] if said.proxy_protocol else "",
        retry_budget=budget(said.retry_budget),
        ports=tuple(ports),
    )
    return whole, tuple(found)


_OF_PORTS = ("load_balancer", "connection_pool", "outlier_detection", "tls")
_OF_ALL = ("port_level_settings", "tunnel", "proxy_protocol", "retry_budget")


def _own(said: istio.TrafficPolicy | istio.PortTrafficPolicy, origin: Origin) -> Policy:
    return Policy(
        balancing=balancing.read(said.load_balancer) if said.load_balancer else None,
        pool=pool.read(said.connection_pool) if said.connection_pool else None,
        outlier=outliers.read(said.outlier_detection) if said.outlier_detection else None,
        security=security.read(said.tls, at(origin, "tls")) if said.tls else None,
    )


def _mistakes(said: istio.TrafficPolicy | istio.PortTrafficPolicy, origin: Origin) -> Iterator[Problem]:
    if said.load_balancer:
        yield from balancing.mistakes(said.load_balancer, at(origin, "loadBalancer"))
    if said.connection_pool:
        yield from pool.mistakes(said.connection_pool, at(origin, "connectionPool"))
    if said.outlier_detection:
        yield from outliers.mistakes(said.outlier_detection, at(origin, "outlierDetection"))
    if said.tls:
        yield from security.mistakes(said.tls, at(origin, "tls"))


def _tunnel(said: istio.TunnelSettings | None) -> Tunnel | None:
    if said is None:
        return None
    host = f"[{said.target_host}]" if ":" in said.target_host else said.target_host
    return Tunnel(target=f"{host}:{said.target_port}", use_post=said.protocol == "POST")


def budget(said: istio.RetryBudget | None) -> RetryBudget | None:
    """How many retries may run. Absent percent means 20, absent concurrency 3. Source: Envoy's RetryBudget."""
    if said is None:
        return None
    return RetryBudget(
        percent=_PERCENT if said.percent is None else said.percent,
        min_concurrency=said.min_retry_concurrency or _CONCURRENCY,
        interval_s=duration.parse(said.budget_interval) if said.budget_interval else 0.0,
    )
