"""Istio's rules for balancing between localities. Source: Istio's ValidateLocalityLbSetting."""

from collections.abc import Iterable, Iterator
from typing import Any

from semafor.resources import errors
from semafor.resources.errors import FieldError
from semafor.resources.istio import hosts

Doc = dict[str, Any]
_TOPOLOGY = frozenset({"topology.kubernetes.io/region", "topology.kubernetes.io/zone", "topology.istio.io/subzone"})


def validate(locality: Doc, path: str) -> Iterator[FieldError]:
    """What is wrong with the setting of one policy."""
    if locality.get("distribute") and locality.get("failover"):
        yield errors.invalid(path, ["distribute", "failover"], "distribute and failover exclude each other")
    both = [label for label in locality.get("failoverPriority", ()) if label in _TOPOLOGY]
    if locality.get("failover") and both:
        yield errors.invalid(f"{path}.failoverPriority", both, "labels of the topology exclude failover")
    for index, label in enumerate(locality.get("failoverPriority", ())):
        key, _, value = label.partition("=")
        yield from hosts.labels({key: value}, f"{path}.failoverPriority[{index}]")
    shares = locality.get("distribute", [])
    yield from _apart([share.get("from", "") for share in shares], f"{path}.distribute")
    for index, share in enumerate(shares):
        yield from _share(share.get("to", {}), f"{path}.distribute[{index}].to")
    for index, failover in enumerate(locality.get("failover", ())):
        yield from _failover(failover, f"{path}.failover[{index}]")


def _share(to: dict[str, int], path: str) -> Iterator[FieldError]:
    for name, weight in to.items():
        if not 0 < weight <= 100:
            yield errors.invalid(f"{path}[{name}]", weight, "must be between 1 and 100, inclusive")
    total = sum(to.values())
    if total != 100:
        yield errors.invalid(path, total, "shares must sum up to 100")
    yield from _apart(to, path)


def _apart(localities: Iterable[str], path: str) -> Iterator[FieldError]:
    """Localities of which none is a part of an earlier one; a wildcard is allowed at the end."""
    seen: list[list[str]] = []
    for name in localities:
        parts = name.split("/")
        if "" in parts:
            yield errors.invalid(path, name, "must be region, region/zone or region/zone/subzone")
        elif "*" in name and (name.count("*") > 1 or not name.endswith("*")):
            yield errors.invalid(path, name, "a wildcard is allowed once, at the end")
        elif any(_overlap(parts, other) for other in seen):
            yield errors.invalid(path, name, "overlaps with one before it")
        seen.append(parts)


def _overlap(one: list[str], other: list[str]) -> bool:
    return all(a == b or "*" in (a, b) for a, b in zip(one, other, strict=False))


def _failover(failover: Doc, path: str) -> Iterator[FieldError]:
    if failover.get("from") == failover.get("to"):
        yield errors.invalid(path, failover.get("from", ""), "from and to must be different")
    for name in ("from", "to"):
        if set("/*") & set(failover.get(name, "")):
            yield errors.invalid(f"{path}.{name}", failover[name], "must be a region, without zone and wildcard")
