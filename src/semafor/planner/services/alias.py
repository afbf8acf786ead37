"""Services of type ExternalName: other names for hosts, in DNS and, where the host is a service, in routes as well.

Source: Istio's ENABLE_EXTERNAL_NAME_ALIAS.
"""

from collections.abc import Iterable, Mapping

from semafor.base import names
from semafor.base.struct import Value
from semafor.planner.services.service import EXPORT_TO, listed
from semafor.resources.core import service as core

_LONGEST_CHAIN = 8  # of aliases of aliases; a circle of them leads nowhere


class Alias(Value, cache_hash=True):
    """Callers that see it may say `host` and mean `target`."""

    host: str
    namespace: str
    target: str
    export_to: tuple[str, ...] = ()


def read(document: core.Service) -> Alias | None:
    """The alias; None for every other service."""
    spec, meta = document.spec, document.metadata
    if spec.type != "ExternalName":
        return None
    return Alias(
        host=names.service_host(meta.name, meta.namespace),
        namespace=meta.namespace,
        target=spec.external_name.rstrip("."),
        export_to=listed(meta.annotations.get(EXPORT_TO, "")),
    )


def by_target(aliases: Iterable[Alias]) -> Mapping[str, tuple[Alias, ...]]:
    """The aliases of each host, those of its aliases too."""
    every = {each.host: each for each in aliases}
    found: dict[str, list[Alias]] = {}
    for host in sorted(every):
        found.setdefault(meant(host, every), []).append(every[host])
    return {target: tuple(each) for target, each in found.items()}


def meant(host: str, aliases: Mapping[str, Alias]) -> str:
    """What the host stands for; itself, when it is no alias."""
    for _ in range(_LONGEST_CHAIN):
        if host not in aliases:
            break
        host = aliases[host].target
    return host
