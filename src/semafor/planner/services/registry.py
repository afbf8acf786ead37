"""Which service a host means to whom: several objects may claim one host, and not everybody sees each of them."""

from collections.abc import Iterable, Mapping

from semafor.planner import hosts
from semafor.planner.hosts import Age
from semafor.planner.services.service import Service

_UNKNOWN = Age(created="9999", name="", namespace="")


def by_host(services: Iterable[Service], namespace: str | None = None) -> Mapping[str, Service]:
    """One service for each host, sorted by host; None asks for all, else for what callers of the namespace see.

    Kubernetes' own service goes before all others, so that nobody takes over its host; then one of the caller's
    namespace, then the oldest. Source: Istio's appendSidecarServices and DefaultSidecarScopeForNamespace.
    """
    found: dict[str, Service] = {}
    for service in services:
        if namespace is None or hosts.visible(service.export_to, service.namespace, namespace):
            known = found.get(service.host)
            if known is None or _rank(service, namespace) < _rank(known, namespace):
                found[service.host] = service
    return dict(sorted(found.items()))


def is_open(services: Iterable[Service]) -> bool:
    """Whether everybody sees every one of them, and no two are for one host."""
    known: set[str] = set()
    for service in services:
        if service.host in known or service.export_to not in ((), ("*",)):
            return False
        known.add(service.host)
    return True


def _rank(service: Service, namespace: str | None) -> tuple[bool, bool, Age]:
    """Less goes first."""
    return (service.registry != "Kubernetes", service.namespace != namespace, service.age or _UNKNOWN)


def wildcards(services: Iterable[str]) -> tuple[str, ...]:
    """The hosts that stand for many, the most specific first."""
    return tuple(sorted((host for host in services if host.startswith("*")), key=hosts.specificity, reverse=True))
