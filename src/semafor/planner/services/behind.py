"""The instances behind each service, from EndpointSlices and pods: only what changed is made anew."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from semafor.ir import Locality
from semafor.planner.services import instances
from semafor.planner.services.instances import Instance, Key, Pod, Slice

Behind = Mapping[Key, tuple[Instance, ...]]


class Sources(NamedTuple):
    """What instances are made of."""

    slices: Mapping[Key, Slice]
    pods: Mapping[Key, Pod]
    nodes: Mapping[Key, Locality]


def renewed(known: Behind, old: Sources, new: Sources) -> Behind:
    """The instances of each service, where only those are new whose slices or pods changed, or whose node."""
    stale = _stale(old, new)
    if not stale:
        return known
    grouped: dict[Key, list[Slice]] = {key: [] for key in stale}
    for key in sorted(new.slices):
        if new.slices[key].service in stale:
            grouped[new.slices[key].service].append(new.slices[key])
    fresh = {key: instances.of(tuple(found), new.pods, new.nodes) for key, found in grouped.items()}
    return {**known, **{key: found for key, found in fresh.items() if known.get(key) != found}}


def _stale(old: Sources, new: Sources) -> set[Key]:
    """The services whose instances may be others than before."""
    changed_slices = set(new.slices) if new.nodes != old.nodes else _changed(old.slices, new.slices)
    changed_pods = _changed(old.pods, new.pods)
    pieces = [table[key] for key in changed_slices for table in (old.slices, new.slices) if key in table]
    pieces += [piece for piece in new.slices.values() if changed_pods and not changed_pods.isdisjoint(piece.pods)]
    return {piece.service for piece in pieces}


def _changed(old: Mapping[Key, Any], new: Mapping[Key, Any]) -> set[Key]:
    """The keys whose values are not the same objects in both tables."""
    if old is new:
        return set()
    return {key for key in old.keys() | new.keys() if old.get(key) is not new.get(key)}
