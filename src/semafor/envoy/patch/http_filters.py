"""Patches of the HTTP filters of one connection."""

from typing import Any, Final

from semafor import ir
from semafor.envoy.patch.work import MERGES, Chosen, Work

_ROUTER: Final = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
# Who asks, whether they may, what is counted: where a filter of a class is added. Source: Istio's FilterClass.
_CLASSES: Final = ("AUTHN", "AUTHZ", "STATS")
_CLASS_OF: Final = {
    "envoy.filters.http.jwt_authn": "AUTHN",
    "istio_authn": "AUTHN",
    "envoy.filters.http.rbac": "AUTHZ",
    "envoy.filters.http.ext_authz": "AUTHZ",
    "istio.stats": "STATS",
}


def change(work: Work, connection: Any, patches: list[ir.Patch]) -> None:
    """Change the filters in order; merging comes last, so that it reaches what others have added."""
    for patch in patches:
        if patch.operation not in MERGES:
            work.edit(connection.http_filters, patch, _chosen(patch), _end(connection.http_filters, patch))
    for one in connection.http_filters:
        for patch in patches:
            if patch.operation in MERGES and patch.listener.sub_filter in ("", one.name):
                work.merge_extension(one, patch)


def _chosen(patch: ir.Patch) -> Chosen | None:
    name = patch.listener.sub_filter
    return (lambda one: bool(one.name == name)) if name else None


def _end(filters: Any, patch: ir.Patch) -> int:
    """Where a filter is added: before the router, which ends the chain, or behind those of its class.

    Differs from Istio: there it goes behind the router, and Envoy refuses the listener.
    """
    last = len(filters) - 1 if filters and filters[-1].typed_config.type_url == _ROUTER else len(filters)
    if patch.filter_class == "UNSPECIFIED" or patch.operation != "ADD":
        return last
    later = _CLASSES[_CLASSES.index(patch.filter_class) + (patch.filter_class != "STATS") :]
    places = (index for index, one in enumerate(filters) if _CLASS_OF.get(one.name) in later)
    return min(next(places, last), last)
