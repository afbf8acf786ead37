"""The state of one resource type within a session: what is wanted, what was sent, what is in flight."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from semafor.base import xds
from semafor.base.struct import Value
from semafor.xds import wire

_WILDCARD: Final = "*"
_WILDCARD_TYPES: Final = (xds.CLUSTER, xds.LISTENER)  # their first request without names means all of them
_ABSENT: Final = ""  # the "version" of a name that the proxy was told does not exist
MAX_NAMES: Final = 50_000  # per type; beyond it a proxy is broken or hostile, and each name costs us memory


class Flight(Value):
    """A response that is not answered yet: the versions that it carries by name."""

    nonce: str
    generation: int
    versions: dict[str, str]


class Channel:
    """One type's subscriptions and versions."""

    def __init__(self, type_url: str) -> None:
        self.type_url = type_url
        self.flight: Flight | None = None
        self.refused: dict[str, str] = {}
        self.answer_due = False
        self._wildcard = False
        self._names: set[str] = set()
        self._sent: dict[str, str] = {}
        self._limit: int | None = None
        self._level_with: Mapping[str, xds.Resource] | None = None  # nothing to add with respect to this very mapping

    def open(self, request: wire.Request) -> None:
        """Take in what only the first request of a type says."""
        self._sent.update(request.initial_versions)
        self._wildcard = not request.subscribe and self.type_url in _WILDCARD_TYPES
        # At its first start Envoy waits for an answer even when there is nothing; on a reconnect it does not.
        self.answer_due = self._wildcard and not request.initial_versions

    def subscribe(self, names: Iterable[str]) -> None:
        """Add names. One that the proxy asks for again is sent again, unless it said at first that it has it."""
        for name in names:
            if name == _WILDCARD:
                self._wildcard = True
                self.answer_due = not self._sent
                continue
            if name in self._names:
                self._sent.pop(name, None)
            self._names.add(name)
        if len(self._names) > MAX_NAMES:
            raise wire.ProtocolError(f"a proxy subscribes to more than {MAX_NAMES} names of {self.type_url}")
        self._level_with = None

    def unsubscribe(self, names: Iterable[str]) -> None:
        for name in names:
            if name == _WILDCARD:
                self._wildcard = False
            self._names.discard(name)
            self._sent.pop(name, None)
            self.refused.pop(name, None)
            self._level_with = None

    def additions(
        self, desired: Mapping[str, xds.Resource], late: Collection[str] = ()
    ) -> tuple[list[xds.Resource], list[str]]:
        """The resources to send, and the subscribed names to call absent so that nobody waits for them.

        Those with the names `late` can wait.
        """
        if desired is self._level_with:
            return [], []
        wanted = desired if self._wildcard else self._names & desired.keys()
        added = [desired[name] for name in sorted(wanted) if self._sent.get(name) != desired[name].version]
        if late:
            added = [resource for resource in added if resource.name not in late]
        absent = [] if self.type_url == xds.SECRET else self._absent(desired)  # a secret that is late is still coming
        if not added and not absent and not late:
            self._level_with, self._limit = desired, None
        return added[: self._limit], absent

    def removals(self, desired: Mapping[str, xds.Resource]) -> list[str]:
        """The names that the proxy has and should have no more."""
        return [name for name, version in self._sent.items() if version != _ABSENT and name not in desired]

    def quiet(self, desired: Mapping[str, xds.Resource], late: Collection[str] = ()) -> bool:
        return self.flight is None and not self.answer_due and self.additions(desired, late) == ([], [])

    def has(self, resource: xds.Resource) -> bool:
        """Whether the proxy was sent this version, and did not refuse it."""
        return self._sent.get(resource.name) == resource.version and resource.name not in self.refused

    def asked_for(self, name: str) -> bool:
        return self._wildcard or name in self._names

    def has_other(self, resource: xds.Resource) -> bool:
        """Whether the proxy has the resource in another version."""
        return self._sent.get(resource.name, _ABSENT) not in (_ABSENT, resource.version)

    def depart(self, nonce: str, generation: int, added: list[xds.Resource], removed: list[str]) -> None:
        """Note that a response is on its way."""
        versions = {resource.name: resource.version for resource in added}
        self.flight = Flight(nonce, generation, versions)
        self.answer_due = False
        self._sent.update(versions)
        for name in removed:
            self.refused.pop(name, None)
            if name in self._names:
                self._sent[name] = _ABSENT
            else:
                self._sent.pop(name, None)

    def land(self, nonce: str) -> Flight | None:
        """The response that a request with this nonce answers; None when it answers none, or an older stream's."""
        flight = self.flight
        if flight is None or flight.nonce != nonce:
            return None
        self.flight = None
        return flight

    def accept(self, flight: Flight) -> None:
        for name in flight.versions:
            self.refused.pop(name, None)

    def refuse(self, flight: Flight, names: tuple[str, ...]) -> None:
        """Remember what was refused: as it counts as sent, it stays away until it changes."""
        self.accept(flight)
        self.refused.update((name, flight.versions[name]) for name in names)

    def halve(self, flight: Flight) -> None:
        """Send the refused response again in smaller ones."""
        self._limit = max(1, len(flight.versions) // 2)
        self.resend(flight.versions)

    def resend(self, names: Iterable[str]) -> None:
        """Forget that these were sent."""
        for name in names:
            self._sent.pop(name, None)
        self._level_with = None

    def _absent(self, desired: Mapping[str, xds.Resource]) -> list[str]:
        return sorted(name for name in self._names if name not in desired and name not in self._sent)
