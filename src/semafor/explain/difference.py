"""What is different between two plans of one proxy, in routes and policies, and not in bytes.

compare(old, new) ─▶ Change*: a virtual host with its routes, a listener, a cluster, its instances ...
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from semafor.base.problem import ObjectRef
from semafor.base.struct import Value
from semafor.explain import conditions, matching
from semafor.ir import (
    DirectResponse,
    Fail,
    FilterChain,
    Forward,
    Guard,
    HeaderOps,
    Listener,
    Origin,
    Plan,
    Redirect,
    Route,
    RouteTable,
    VirtualHost,
)

_DEFAULTS: Final = 60  # signs of a value that is shown
_NEVER: Final = frozenset(("origin", "rule"))  # where a node comes from is not what it does
_NO_FIELDS: Final[frozenset[str]] = frozenset()


class Change(Value):
    """One part that is different. `lines` begin with `- ` for what was, and `+ ` for what will be.

    `of` are the objects behind what was and will be.
    """

    part: str
    name: str
    how: str  # added, removed, changed
    lines: tuple[str, ...] = ()
    of: tuple[ObjectRef, ...] = ()


def compare(old: Plan, new: Plan) -> tuple[Change, ...]:
    """Every part that is different, the routes first."""
    if old == new:
        return ()
    return tuple(_changes(old, new))


def _changes(old: Plan, new: Plan) -> Iterator[Change]:
    yield from _pairs("routes of", _hosts(old.routes), _hosts(new.routes), _host)
    yield from _pairs("listener", _named(old.listeners), _named(new.listeners), _listener)
    yield from _pairs("cluster", _named(old.clusters), _named(new.clusters), _fields)
    yield from _pairs("certificate", _named(old.credentials), _named(new.credentials), _fields)
    before = {each.cluster: each for each in old.endpoints}
    yield from _pairs("instances of", before, {each.cluster: each for each in new.endpoints}, _instances)
    if old.patches != new.patches:
        before_, after = ([str(each.origin) for each in plan.patches] for plan in (old, new))
        yield Change("patches of EnvoyFilters", "", "changed", tuple(_lists(before_, after)))
    if old.dns != new.dns:
        yield Change("names", "that the sidecar's resolver knows", "changed", tuple(_fields(old.dns, new.dns)))


def _hosts(tables: Iterable[RouteTable]) -> dict[str, VirtualHost]:
    return {f"{host.name} (table {table.name})": host for table in tables for host in table.hosts}


def _named(nodes: Iterable[Any]) -> dict[str, Any]:
    return {each.name: each for each in nodes}


def _pairs(part: str, old: Mapping[str, Any], new: Mapping[str, Any], told: Any) -> Iterator[Change]:
    for name in dict.fromkeys((*old, *new)):
        before, after = old.get(name), new.get(name)
        if before is after or before == after:
            continue
        how = "added" if before is None else "removed" if after is None else "changed"
        lines = tuple(told(before, after))
        if lines or how != "changed":
            yield Change(part, name, how, lines, tuple(_origins(before, after)))


def _origins(*nodes: Any) -> Iterator[ObjectRef]:
    """The objects behind the nodes, each once."""
    found = dict.fromkeys(origin.ref for node in nodes if node is not None for origin in _walk(node))
    return iter(sorted(found, key=str))


def _walk(node: Any) -> Iterator[Origin]:
    if isinstance(node, Origin):
        yield node
    elif isinstance(node, msgspec.Struct):
        for name in node.__struct_fields__:
            yield from _walk(getattr(node, name))
    elif isinstance(node, tuple):
        for each in node:
            yield from _walk(each)


# --- routes ---


def _host(old: VirtualHost | None, new: VirtualHost | None) -> Iterator[str]:
    before, after = ([] if host is None else [_route(each) for each in host.routes] for host in (old, new))
    yield from _lists(before, after)
    if old is not None and new is not None:
        yield from _fields(old, new, skip=frozenset(("routes",)))


def _route(route: Route) -> str:
    rule = f"   ({route.origin})" if route.origin else ""
    return f"{matching.words(route.match)}: {', '.join(_does(route))}{rule}"


def _does(route: Route) -> Iterator[str]:
    match route.action:
        case Forward():
            yield from _forwards(route.action)
        case Redirect() as redirect:
            target = "".join((redirect.host, redirect.path or redirect.prefix))
            yield f"redirected with {redirect.status} to {target or 'itself'}"
        case DirectResponse() as answer:
            yield f"answered {answer.status}"
        case Fail() as fail:
            yield f"answered 503: {fail.reason}"
    if route.fault and route.fault.delay:
        yield f"{route.fault.delay.percent:g} % delayed by {route.fault.delay.seconds:g} s"
    if route.fault and route.fault.abort:
        yield f"{route.fault.abort.percent:g} % aborted with {route.fault.abort.status or 'a gRPC status'}"
    yield from _headers(route.request, "request")
    yield from _headers(route.response, "answer")
    if route.cors:
        yield "CORS"


def _forwards(action: Forward) -> Iterator[str]:
    total = sum(each.weight for each in action.destinations) or 1
    for each in action.destinations:
        if each.weight:
            yield f"{100 * each.weight / total:.4g} % to {each.cluster}"
    if action.timeout_s:
        yield f"time-out {action.timeout_s:g} s"
    if action.retry:
        each_ = f" of {action.retry.per_try_timeout_s:g} s" if action.retry.per_try_timeout_s else ""
        yield f"{action.retry.attempts} retries{each_} on {' '.join(action.retry.retry_on)}"
    for name in ("prefix", "path", "host"):
        if value := getattr(action.rewrite, name):
            yield f"{name} rewritten to {value}"
    if action.rewrite.regex:
        yield f"path rewritten to {action.rewrite.regex.substitution}"
    for mirror in action.mirrors:
        yield f"{mirror.percent:g} % copied to {mirror.cluster}"
    for key in action.hash_keys:
        yield f"hashed by {key.kind} {key.name}".rstrip()


def _headers(ops: HeaderOps, side: str) -> Iterator[str]:
    for how, pairs in (("set", ops.set), ("add", ops.add)):
        for name, value in pairs:
            yield f"{how} {name}: {value} of the {side}"
    for name in ops.remove:
        yield f"remove {name} of the {side}"


def _lists(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    """The lines that are in one list alone, or elsewhere in it."""
    for line in difflib.ndiff(before, after):
        if line.startswith(("- ", "+ ")):
            yield line


# --- listeners and policies ---


def _listener(old: Listener | None, new: Listener | None) -> Iterator[str]:
    """What is different in its chains; what many of them share is told once."""
    if old is None or new is None:
        return
    yield from _fields(old, new, skip=frozenset(("chains", "default_chain")))
    before, after = ({each.name: each for each in _chains(one)} for one in (old, new))
    found: dict[tuple[str, ...], list[str]] = {}
    for name in dict.fromkeys((*before, *after)):
        if lines := tuple(_chain(before.get(name), after.get(name))):
            found.setdefault(lines, []).append(name or "default")
    for lines, names in found.items():
        for line in lines:
            yield f"{line}   (chains {', '.join(names)})" if len(lines) == 1 else line
        if len(lines) > 1:
            yield f"  in chains {', '.join(names)}"


def _chains(listener: Listener) -> tuple[FilterChain, ...]:
    return (*listener.chains, *((listener.default_chain,) if listener.default_chain else ()))


def _chain(old: FilterChain | None, new: FilterChain | None) -> Iterator[str]:
    if old is None or new is None:
        yield "+ a new chain" if old is None else "- the chain"
        return
    yield from _lists(*([line for each in chain.filter.guards for line in _guard(each)] for chain in (old, new)))
    yield from _fields(old, new, skip=frozenset(("guards",)))


def _guard(guard: Guard) -> Iterator[str]:
    """The rules in words: `DENY from everybody: the method is "DELETE"   (AuthorizationPolicy demo/model ...)`."""
    trial = " (dry run)" if guard.dry_run else ""
    asked = f" {guard.authorizer.name}" if guard.authorizer else ""
    action = f"{guard.action.upper()}{asked}{trial}"
    if not guard.rules:
        yield f"{action}: nothing   ({', '.join(guard.policies)})"
    for rule in guard.rules:
        yield f"{action} from {conditions.who(rule)}: {conditions.what(rule)}   ({rule.origin or rule.name})"


# --- everything else ---


def _instances(old: Any, new: Any) -> Iterator[str]:
    yield from _lists(*(sorted(_addresses(each)) for each in (old, new)))


def _addresses(found: Any) -> Iterator[str]:
    for group in found.localities if found else ():
        for each in group.endpoints:
            state = "" if each.health == "healthy" else f"  {each.health}"
            yield f"{each.pipe or f'{each.address}:{each.port}'}  {each.workload}{state}"


def _fields(old: Any, new: Any, *, skip: frozenset[str] = _NO_FIELDS) -> Iterator[str]:
    """The fields that differ, by their paths; nothing for a node that is new or gone, whose name says enough."""
    if old is None or new is None:
        return
    before, after = (dict(_flat(node, "", skip)) for node in (old, new))
    for path in sorted({*before, *after}):
        was, will = before.get(path), after.get(path)
        if was != will:
            yield from ((f"- {path}: {was}",) if was is not None else ())
            yield from ((f"+ {path}: {will}",) if will is not None else ())


def _flat(node: Any, path: str, skip: frozenset[str]) -> Iterator[tuple[str, str]]:
    """What a node says, field by field; what stands for the default is left out."""
    if isinstance(node, msgspec.Struct):
        for field in msgspec.structs.fields(node):
            value = getattr(node, field.name)
            if field.name not in _NEVER | skip and value != field.default:
                yield from _flat(value, f"{path}.{field.name}".lstrip("."), skip)
    elif isinstance(node, tuple) and any(isinstance(each, (msgspec.Struct, tuple)) for each in node):
        for index, each in enumerate(node):
            key = getattr(each, "name", "") or index
            yield from _flat(each, f"{path}[{key}]", skip)
    elif isinstance(node, tuple):
        yield path, _short(", ".join(map(str, node)))
    else:
        yield path, _short(str(node))


def _short(text: str) -> str:
    return text if len(text) <= _DEFAULTS else f"{text[:_DEFAULTS]}..."
