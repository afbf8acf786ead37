"""The life of a request that has been: what each proxy has written of it, with the plans' reasons for it.

seen by proxies ─▶ hops: caller ─route─▶ attempt*, each at one callee ─▶ the cause, where it failed
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from msgspec.structs import replace

from semafor.base.struct import Value
from semafor.explain import causes, inbound, recall
from semafor.explain.causes import Cause
from semafor.explain.entry import Entry
from semafor.explain.inbound import Approach
from semafor.explain.story import Arrival, Outcome, Tried, Way
from semafor.ir import Plan

_ERROR = 400
_DENIED = "rbac_access_denied"
_MESH_NAME = "outbound_."  # with which the mesh's own proxies begin the server name of mutual TLS
_THEN = "the configuration is another now than it was then: no route of now does this"


class Place(Value):
    """A pod with a proxy: who it is, and what its proxy has been told. `gateway`: it stands alone at the edge."""

    workload: str
    ip: str
    plan: Plan
    identity: str = ""
    gateway: bool = False


class Seen(Value):
    """What the proxy of a pod has written."""

    place: Place
    entry: Entry

    @property
    def is_arrival(self) -> bool:
        """Whether it came in there; else it went out."""
        return not self.place.gateway and self.entry.downstream_local.rpartition(":")[0] == self.place.ip


class Attempt(Value):
    """One try, at one callee, as the callee's proxy saw it. `arrival`: what the policies say of it now."""

    workload: str
    entry: Entry
    arrival: Arrival | None = None


class Hop(Value):
    """From one caller to whom it asked. `maybe` are routes that may have taken it as well.

    Without a `way` the caller has no proxy that wrote of it.
    """

    caller: str
    entry: Entry | None = None
    way: Way | None = None
    maybe: tuple[Tried, ...] = ()
    instance: str = ""
    attempts: tuple[Attempt, ...] = ()
    note: str = ""


class Life(Value):
    """All of it. `verdict` is of what the first caller got; `cause` and `mend` are empty where nothing failed."""

    id: str
    request: str
    verdict: Literal["passed", "failed"]
    status: int
    hops: tuple[Hop, ...]
    cause: str = ""
    mend: str = ""
    trace: str = ""


def live(id_: str, seen: Iterable[Seen]) -> Life:
    """Put together what has been seen of one request. `seen` holds at least one."""
    ordered = sorted(seen, key=lambda each: each.entry.time)
    out = [each for each in ordered if not each.is_arrival]
    came = [each for each in ordered if each.is_arrival]
    owners = _owners(out, came)
    hops = [_hop(each, [one for one, of in zip(came, owners, strict=True) if of is each], ordered) for each in out]
    lone = [one for one, of in zip(came, owners, strict=True) if of is None]
    hops += [Hop(caller=_outside(one, ordered), attempts=(_attempt(one, None, None),)) for one in lone]
    hops.sort(key=_time)
    return _judged(id_, tuple(hops))


def _time(hop: Hop) -> str:
    return hop.entry.time if hop.entry else hop.attempts[0].entry.time


def _owners(out: Sequence[Seen], came: Sequence[Seen]) -> list[Seen | None]:
    """Whose each arrival is: by the connection it came on, which only the last attempt tells, else by the address."""
    by_connection = {each.entry.upstream_local: each for each in out if each.entry.upstream_local}
    found: list[Seen | None] = []
    for each in came:
        remote = each.entry.downstream_remote
        near = [one for one in out if one.place.ip == remote.rpartition(":")[0] and one.entry.time <= each.entry.time]
        found.append(by_connection.get(remote) or (near[-1] if near else None))
    return found


def _outside(one: Seen, known: Sequence[Seen]) -> str:
    address = one.entry.downstream_remote.rpartition(":")[0]
    return next((each.place.workload for each in known if each.place.ip == address), address or "outside")


def _hop(caller: Seen, came: Sequence[Seen], known: Sequence[Seen]) -> Hop:
    entry, place = caller.entry, caller.place
    way, maybe = recall.way(place.plan, entry, at_edge=place.gateway)
    way = replace(way, outcomes=tuple(_narrowed(each, entry) for each in way.outcomes if _happened(each, entry)))
    attempts = tuple(_attempt(each, place, way) for each in came)
    by_ip = {each.place.ip: each.place.workload for each in known}
    named = {each.address: each.workload for outcome in way.outcomes for t in outcome.targets for each in t.instances}
    host = entry.upstream_host
    workload = named.get(host) or by_ip.get(host.rpartition(":")[0], "")
    return Hop(
        caller=place.workload,
        entry=entry,
        way=way,
        maybe=maybe,
        instance=f"{host}  {workload}".strip(),
        attempts=attempts,
        note="" if way.outcomes or way.closed else _THEN,
    )


def _happened(outcome: Outcome, entry: Entry) -> bool:
    """Of a route that aborts some requests and forwards others: which of the two it was."""
    return bool(outcome.status) == (not entry.is_answered_upstream and outcome.status == entry.status)


def _narrowed(outcome: Outcome, entry: Entry) -> Outcome:
    taken = tuple(each for each in outcome.targets if each.cluster == entry.cluster)
    return replace(outcome, targets=taken or outcome.targets)


def _attempt(seen: Seen, caller: Place | None, way: Way | None) -> Attempt:
    entry, place = seen.entry, seen.place
    port = entry.downstream_local.rpartition(":")[2]
    mutual = bool(entry.peer) or entry.server_name.startswith(_MESH_NAME)
    protocols = next((t.protocols for each in (way.outcomes if way else ()) for t in each.targets if t.protocols), ())
    approach = Approach(
        name=caller.workload if caller else "",
        identity=entry.peer or (caller.identity if caller else ""),
        address=entry.downstream_remote.rpartition(":")[0],
        mutual_tls=mutual,
        protocols=protocols or ("istio", "h2"),
    )
    asked = replace(recall.request(entry), address=place.ip)
    told = inbound.arrival(place.plan, place.workload, asked, approach, int(port) if port.isdigit() else 0)
    agrees = bool(told.refusal) == entry.details.startswith(_DENIED) or told.status == entry.status
    return Attempt(workload=place.workload, entry=entry, arrival=told if agrees else None)


# --- the verdict ---


def _judged(id_: str, hops: tuple[Hop, ...]) -> Life:
    first = hops[0]
    entry = first.entry or first.attempts[-1].entry
    failed = entry.status == 0 or entry.status >= _ERROR
    cause = next(_causes(hops), None) if failed else None
    return Life(
        id=id_,
        request=f"{entry.method} http://{entry.authority}{entry.path}" if entry.method else f"to {entry.authority}",
        verdict="failed" if failed else "passed",
        status=entry.status,
        hops=hops,
        cause=cause.why if cause else "",
        mend=cause.mend if cause else "",
        trace=entry.trace,
    )


def _causes(hops: Sequence[Hop]) -> Iterator[Cause]:
    """The causes, the deepest first: what fails far away makes everything before it fail."""
    for hop in reversed(hops):
        failing = [each for each in hop.attempts if each.entry.status == 0 or each.entry.status >= _ERROR]
        for each in reversed(failing):
            if each.arrival and each.arrival.refusal and not each.entry.is_answered_upstream:
                yield Cause(f"{each.workload} refuses: {each.entry.status} {each.arrival.refusal}", each.arrival.mend)
            if found := causes.of(each.entry, None, each.workload):
                yield found
        outcome = next(iter(hop.way.outcomes), None) if hop.way else None
        if hop.entry and (found := causes.of(hop.entry, outcome, f"the proxy of {hop.caller}")):
            yield found
        for each in reversed(failing):
            if found := causes.of_app(each.entry, each.workload):
                yield found
        if hop.entry and (found := causes.of_app(hop.entry, hop.instance or "who was asked")):
            yield found
