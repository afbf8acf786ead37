"""One delta ADS stream as a state machine without I/O.

    offer(resources, generation) ─┐                    ┌─▶ responses to write
    receive(request) ─────────────┴─▶ Session ─ poll() ┴─▶ events: Acked, Refused, Settled

Per type there is at most one response in flight, so whatever is offered meanwhile coalesces into the next one, and
nothing queues up behind a slow proxy. Additions go in the order of `ORDER`, and what refers to clusters waits until
Envoy has them; removals come last, when nothing refers to them any more, and so does the news that a cluster has lost
its last endpoint.
Source: Envoy's "xDS REST and gRPC protocol", sections on the incremental variant and on eventual consistency.
"""

import re
from typing import Final

from semafor.base import xds
from semafor.base.struct import Value
from semafor.base.xds import CLUSTER, ENDPOINTS, LISTENER, ROUTES, SECRET, Resources
from semafor.xds import wire
from semafor.xds.channel import Channel, Flight

# The order of additions, each with the types that must be quiet before it goes out.
ORDER: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (CLUSTER, ()),
    (ENDPOINTS, ()),  # never behind CLUSTER: Envoy withholds that acknowledgement until it has the endpoints
    (SECRET, ()),  # nor this: a cluster is not warm before its certificate has come
    (LISTENER, (CLUSTER, ENDPOINTS)),  # a listener may name a cluster directly
    (ROUTES, (CLUSTER, ENDPOINTS)),  # a route to a cluster that Envoy does not have yet answers 503
)
_NOTHING: Final[tuple[str, ...]] = ()
_REFERRING: Final = (CLUSTER, ENDPOINTS, LISTENER, ROUTES)  # all have to be quiet before anything is removed
_LATE: Final = (CLUSTER, ENDPOINTS)  # in these, news that take something away can wait
_NOBODY: Final[frozenset[str]] = frozenset()
_APPLIED_IN_PART: Final = (CLUSTER, LISTENER)  # when refused, the message names the bad ones; the others are live


class Acked(Value):
    """The proxy took a response of this type, made from this generation."""

    type_url: str
    generation: int


class Refused(Value):
    """The proxy refused these resources and keeps the last good ones. They are not sent again until they change."""

    type_url: str
    generation: int
    names: tuple[str, ...]
    message: str


class Settled(Value):
    """The proxy has everything of this generation, except what it refused: (type, name) pairs."""

    generation: int
    refused: tuple[tuple[str, str], ...] = ()


Event = Acked | Refused | Settled


class Step(Value):
    """What to do now: write the responses in this order, and hear the events."""

    responses: tuple[bytes, ...]
    events: tuple[Event, ...]


class Session:
    """The state of one stream. Call `poll` after every `offer` and `receive`."""

    def __init__(self) -> None:
        self.node_id = ""
        self._channels: dict[str, Channel] = {}
        self._target = Resources({})
        self._empty: tuple[xds.Resource, ...] = ()  # clusters without endpoints
        self._needing: tuple[xds.Resource, ...] = ()  # listeners that others have to come for
        self._generation = 0
        self._settled = 0
        self._nonces = 0
        self._events: list[Event] = []

    @property
    def settled(self) -> int:
        """The newest generation that the proxy has in full; 0 for none."""
        return self._settled

    def refuses(self, type_url: str) -> bool:
        """Whether the proxy has refused a resource of this type, and got no other version since."""
        channel = self._channels.get(type_url)
        return bool(channel and channel.refused)

    def states(self) -> dict[str, str]:
        """How each type that the proxy asks for stands, in istioctl's words."""
        return {type_url: self._state(channel) for type_url, channel in self._channels.items()}

    def _state(self, channel: Channel) -> str:
        if channel.refused:
            return "ERROR"
        if not self._generation:
            return "NOT SENT"
        return "SYNCED" if channel.quiet(self._target.named(channel.type_url)) else "STALE"

    def offer(self, resources: Resources, generation: int) -> None:
        """Let the proxy have exactly `resources`. A generation is above 0 and never below an earlier one."""
        if resources.named(ENDPOINTS) is not self._target.named(ENDPOINTS):
            self._empty = tuple(each for each in resources.named(ENDPOINTS).values() if each.is_empty)
        if resources.named(LISTENER) is not self._target.named(LISTENER):
            self._needing = tuple(each for each in resources.named(LISTENER).values() if each.needs)
        self._target = resources
        self._generation = generation

    def receive(self, request: wire.Request) -> None:
        """Take in a request. Raises wire.ProtocolError when the proxy subscribes beyond reason."""
        self.node_id = self.node_id or request.node_id  # only the first message carries the node
        channel = self._channels.get(request.type_url)
        if channel is None:
            channel = self._channels[request.type_url] = Channel(request.type_url)
            channel.open(request)
        channel.subscribe(request.subscribe)
        channel.unsubscribe(request.unsubscribe)
        flight = channel.land(request.nonce)
        if flight is not None and request.error is None:
            channel.accept(flight)
            self._events.append(Acked(channel.type_url, flight.generation))
        elif flight is not None and request.error is not None:
            self._refuse(channel, flight, request.error)

    def poll(self) -> Step:
        """What is to be written now, and what has happened since the last call."""
        late = self._late()
        responses = self._additions(late) if self._generation else []
        if self._generation and all(self._quiet(type_url, late) for type_url in _REFERRING):
            responses += self._additions(_NOBODY) if late else self._removals()
        self._settle()
        events, self._events = tuple(self._events), []
        return Step(tuple(responses), events)

    def _late(self) -> frozenset[str]:
        """The clusters whose last endpoint goes: first, routes have to lead elsewhere. Their own changes wait as well,
        because a changed cluster wants its endpoints at once.
        """
        channel = self._channels.get(ENDPOINTS)
        return frozenset(each.name for each in self._empty if channel and channel.has_other(each))

    def _additions(self, late: frozenset[str]) -> list[bytes]:
        responses = []
        known = {type_url for type_url, _ in ORDER}
        others = tuple((type_url, _NOTHING) for type_url in self._channels if type_url not in known)
        for type_url, waits_for in ORDER + others:
            channel = self._channels.get(type_url)
            if channel is None or channel.flight or not all(self._quiet(other, late) for other in waits_for):
                continue
            desired = self._target.named(type_url)
            added, absent = channel.additions(desired, late if type_url in _LATE else _NOBODY)
            # Listeners are replaced in one response: two on one address are refused, even for a moment.
            gone = channel.removals(desired) if type_url == LISTENER else []
            if added or absent or gone or channel.answer_due:
                responses.append(self._send(channel, added, [*absent, *gone]))
        return responses

    def _removals(self) -> list[bytes]:
        responses = []
        for type_url, _ in reversed(ORDER):
            channel = self._channels.get(type_url)
            if channel is None or channel.flight:
                continue
            gone = channel.removals(self._target.named(type_url))
            if gone:
                responses.append(self._send(channel, [], gone))
        return responses

    def _send(self, channel: Channel, added: list[xds.Resource], removed: list[str]) -> bytes:
        self._nonces += 1
        nonce = str(self._nonces)
        channel.depart(nonce, self._generation, added, removed)
        if channel.type_url == CLUSTER and ENDPOINTS in self._channels:
            # A changed cluster warms up anew but does not ask for its endpoints again, which bear its name.
            self._channels[ENDPOINTS].resend(resource.name for resource in added)
        return wire.response(channel.type_url, nonce, self._generation, added, removed)

    def _refuse(self, channel: Channel, flight: Flight, message: str) -> None:
        """Find out who is to blame; where the message does not say, halve the response until it is one resource."""
        names = tuple(flight.versions)
        blamed = names if len(names) <= 1 else ()
        if not blamed and channel.type_url in _APPLIED_IN_PART:
            blamed = tuple(name for name in names if mentions(message, name))
        if blamed or not names:
            channel.refuse(flight, blamed)
            self._events.append(Refused(channel.type_url, flight.generation, blamed, message))
        else:
            channel.halve(flight)

    def _quiet(self, type_url: str, late: frozenset[str] = _NOBODY) -> bool:
        """Whether nothing of this type is in flight or waits to be added. A type not asked for is quiet."""
        channel = self._channels.get(type_url)
        names = late if type_url in _LATE else _NOBODY
        return channel is None or channel.quiet(self._target.named(type_url), names)

    def _settle(self) -> None:
        started = CLUSTER in self._channels and LISTENER in self._channels
        if not started or self._settled == self._generation or not all(map(self._quiet, self._channels)):
            return
        if not all(map(self._has_asked, self._needing)):
            return
        self._settled = self._generation
        refused = tuple((t, name) for t, channel in self._channels.items() for name in channel.refused)
        self._events.append(Settled(self._generation, refused))

    def _has_asked(self, listener: xds.Resource) -> bool:
        """Whether the proxy knows already that it needs what the listener does: it asks only once it has taken it."""
        if not self._channels[LISTENER].has(listener):
            return True  # it was refused, so nothing of it is needed
        return all(
            type_url in self._channels and self._channels[type_url].asked_for(name)
            for type_url, name in listener.needs
            if name in self._target.named(type_url)
        )


def mentions(message: str, name: str) -> bool:
    """Whether an error message names exactly this resource, not one whose name merely contains it."""
    return re.search(rf"(?<![\w.|-]){re.escape(name)}(?![\w|-]|\.\w)", message) is not None
