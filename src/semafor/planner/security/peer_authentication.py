"""PeerAuthentication: whether connections into a workload are mutual TLS, plain text, or either.

mesh (root namespace, no selector) ─▶ namespace (no selector) ─▶ workload (selector) ─▶ its single ports

Each level inherits what the one before it says when it is UNSET; the oldest object of a level counts.
Source: Istio's reference of PeerAuthentication, and its "PeerAuthentication" concepts on precedence.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from msgspec.structs import replace

from semafor.base.problem import ObjectRef, Problem
from semafor.base.struct import Value
from semafor.ir import Origin
from semafor.planner import hosts
from semafor.planner.checks import problems
from semafor.planner.checks.problems import at
from semafor.planner.hosts import Age
from semafor.planner.proxy import Labels, Workload
from semafor.planner.security import selecting
from semafor.planner.services.instances import Instance, Key
from semafor.resources.istio import peer_authentication as istio

Mode = Literal["strict", "permissive", "disable"]
_MODES: dict[str, Mode] = {"STRICT": "strict", "PERMISSIVE": "permissive", "DISABLE": "disable"}


class PeerAuthentication(Value, cache_hash=True):
    """One object. A mode of None inherits. `ports` are those of the workload, not of a service."""

    labels: Labels
    mode: Mode | None
    ports: tuple[tuple[int, Mode | None], ...]
    age: Age
    origin: Origin


class Modes(Value):
    """What one workload takes, port by port."""

    other: Mode = "permissive"
    ports: tuple[tuple[int, Mode], ...] = ()

    def at(self, port: int) -> Mode:
        return next((mode for number, mode in self.ports if number == port), self.other)


PERMISSIVE = Modes()


def read(document: istio.PeerAuthentication) -> PeerAuthentication:
    """The object as a value."""
    meta, spec = document.metadata, document.spec
    ref = ObjectRef(kind=istio.KIND.kind, namespace=meta.namespace, name=meta.name, group=istio.KIND.group)
    ports = ((int(port), _MODES.get(said.mode)) for port, said in spec.port_level_mtls.items() if port.isdigit())
    return PeerAuthentication(
        labels=selecting.labels(spec.selector),
        mode=_MODES.get(spec.mtls.mode) if spec.mtls else None,
        ports=tuple(sorted(ports, key=lambda pair: pair[0])),
        age=hosts.age(meta),
        origin=Origin(ref=ref, path="spec"),
    )


def modes(known: Mapping[Key, PeerAuthentication], root: str, namespace: str, labels: Labels) -> Modes:
    """What a workload with these labels takes. `root` is the namespace whose objects are for the whole mesh."""
    mode: Mode = "permissive"
    levels = _levels(known, root, namespace, labels)
    for one in levels:
        mode = one.mode or mode
    own = levels[-1].ports if levels and levels[-1].labels else ()
    return Modes(other=mode, ports=tuple((port, said or mode) for port, said in own))


def decisive(known: Mapping[Key, PeerAuthentication], root: str, workload: Workload, port: int) -> Origin | None:
    """The field that says what the port of the workload takes; None where no object does."""
    found = None
    for one in _levels(known, root, workload.namespace, workload.labels):
        if one.mode:
            found = at(one.origin, "mtls.mode")
        if one.labels and dict(one.ports).get(port):
            found = at(one.origin, f"portLevelMtls[{port}].mode")
    return found


def _levels(
    known: Mapping[Key, PeerAuthentication], root: str, namespace: str, labels: Labels
) -> tuple[PeerAuthentication, ...]:
    """The objects that count for a workload, from the widest to the narrowest; the last one may be for single ones."""
    wide = (
        _oldest(one for one in known.values() if _is_of(one, where) and not one.labels)
        for where in dict.fromkeys((root, namespace))
    )
    own = _oldest(one for one in known.values() if _selects(one, root, namespace, labels))
    return tuple(one for one in (*wide, own) if one)


def _is_of(one: PeerAuthentication, namespace: str) -> bool:
    return one.origin.ref.namespace == namespace


def _selects(one: PeerAuthentication, root: str, namespace: str, labels: Labels) -> bool:
    """Whether the object is for single workloads, this one among them. In the root namespace it cannot be."""
    return bool(one.labels) and namespace != root and _is_of(one, namespace) and selecting.selected(one.labels, labels)


def _oldest(found: Iterable[PeerAuthentication]) -> PeerAuthentication | None:
    return min(found, key=lambda one: one.age, default=None)


def told(known: Mapping[Key, PeerAuthentication], root: str, found: tuple[Instance, ...]) -> tuple[Instance, ...]:
    """The instances, each with the ports where its sidecar takes no TLS, so that callers do not begin with it."""
    return tuple(_told(known, root, instance) for instance in found)


def _told(known: Mapping[Key, PeerAuthentication], root: str, instance: Instance) -> Instance:
    if not instance.in_mesh:
        return instance
    has = modes(known, root, instance.identity[0], instance.labels)
    plain = tuple(sorted({port for _, port in instance.ports if has.at(port) == "disable"}))
    return replace(instance, plain=plain) if plain else instance


def check(known: Mapping[Key, PeerAuthentication], root: str) -> Iterator[Problem]:
    """Objects that an older one for the same workloads keeps from having an effect."""
    first: dict[tuple[str, Labels], PeerAuthentication] = {}
    for one in sorted(known.values(), key=lambda one: one.age):
        namespace = one.origin.ref.namespace
        winner = first.setdefault((namespace, one.labels), one)
        if winner is not one:
            yield problems.second_policy(one.origin, winner.origin)
        elif one.labels and namespace == root:
            yield problems.selector_in_root(at(one.origin, "selector"), root)
