"""Patches of route tables, virtual hosts and routes. Source: Istio's rc_patch.go."""

import re
from collections.abc import Callable
from typing import Any, Final

from semafor import ir
from semafor.envoy.patch.work import MERGES, Work

THINGS: Final[tuple[ir.patch.ApplyTo, ...]] = ("ROUTE_CONFIGURATION", "VIRTUAL_HOST", "HTTP_ROUTE")
_ACTIONS: Final = {"ROUTE": "route", "REDIRECT": "redirect", "DIRECT_RESPONSE": "direct_response"}


def concerns(patch: ir.Patch, name: str, direction: str) -> bool:
    """Whether the patch may be about something of the table of this name."""
    if patch.apply_to not in THINGS or patch.direction not in ("any", direction):
        return False
    return all(re.fullmatch(pattern, name) for pattern in patch.routes.tables)


def change(work: Work, table: Any) -> Any:
    """The changed table. All patches of routes that `work` has concern it."""
    for patch in work.of("ROUTE_CONFIGURATION"):
        if patch.operation in MERGES:
            work.merge(table, patch)
    kept = [host for host in table.virtual_hosts if _host(work, host)]
    if len(kept) < len(table.virtual_hosts):
        copies = [type(host).FromString(host.SerializeToString()) for host in kept]
        del table.virtual_hosts[:]
        table.virtual_hosts.extend(copies)
    for patch in work.of("VIRTUAL_HOST"):
        if patch.operation == "ADD":
            work.edit(table.virtual_hosts, patch, None)
    return table


def _host(work: Work, host: Any) -> bool:
    """Change a virtual host; False when it is removed."""
    for patch in work.of("VIRTUAL_HOST"):
        if patch.operation == "ADD" or not _takes(patch, host):
            continue
        if patch.operation == "REMOVE":
            work.used.add(patch)
            return False
        if patch.operation == "REPLACE":
            work.used.add(patch)
            host.CopyFrom(work.value(patch))
        else:
            work.merge(host, patch)
    _routes(work, host)
    return True


def _routes(work: Work, host: Any) -> None:
    """First what is there is merged and removed, then others are added."""
    patches = [patch for patch in work.of("HTTP_ROUTE") if _takes(patch, host)]
    for patch in patches:
        chosen = _chooser(patch)
        if patch.operation == "REMOVE":
            work.edit(host.routes, patch, chosen or _any)
        elif patch.operation in MERGES:
            for route in filter(chosen, host.routes):
                work.merge(route, patch)
    for patch in patches:
        chosen = _chooser(patch)
        if patch.operation in MERGES or patch.operation == "REMOVE":
            continue
        if patch.operation != "INSERT_FIRST" or chosen is None or any(map(chosen, host.routes)):
            work.edit(host.routes, patch, chosen)


def _takes(patch: ir.Patch, host: Any) -> bool:
    match = patch.routes
    return match.host in ("", host.name) and (not match.domain or match.domain in host.domains)


def _chooser(patch: ir.Patch) -> Callable[[Any], bool] | None:
    """The test of a route; None when the patch asks for none."""
    match = patch.routes
    if match.any_route:
        return None

    def chosen(route: Any) -> bool:
        if match.route not in ("", route.name):
            return False
        return match.action == "ANY" or route.WhichOneof("action") == _ACTIONS[match.action]

    return chosen


def _any(_: Any) -> bool:
    return True
