"""What an alert is, and what becomes of it at each evaluation. Source: Prometheus 2, rules/alerting.go."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from semafor.telemetry.labels import Labels

State = Literal["inactive", "pending", "firing"]

_REMEMBERED_MS: Final = 15 * 60_000  # how long a resolved alert is kept, so that its receivers may hear of it


@dataclass(slots=True)
class Alert:
    """One alert. Times are milliseconds; None for what has not happened."""

    labels: Labels
    annotations: Mapping[str, str]
    value: float
    active_ms: int
    state: State = "pending"
    fired_ms: int | None = None
    resolved_ms: int | None = None
    kept_since_ms: int | None = None
    sent_ms: int | None = None
    sent_state: State = field(default="inactive")
    told_ms: int | None = None  # those who hear of changes only, and seldom of what goes on


_TIMES: Final = ("active_ms", "fired_ms", "resolved_ms", "kept_since_ms", "sent_ms", "told_ms")


@dataclass(frozen=True, slots=True)
class Seen:
    """What an alert's query gave."""

    labels: Labels
    annotations: Mapping[str, str]
    value: float


@dataclass(slots=True)
class Alerts:
    """The alerts of one rule."""

    for_ms: int
    keep_ms: int
    known: dict[Labels, Alert] = field(default_factory=dict)

    def take(self, seen: Iterable[Seen], now_ms: int) -> None:
        """Take what the query gives now."""
        found = {each.labels: each for each in seen}
        for labels, each in found.items():
            alert = self.known.get(labels)
            if alert is None or alert.state == "inactive":
                self.known[labels] = Alert(labels, each.annotations, each.value, now_ms)
            else:
                alert.value, alert.annotations, alert.kept_since_ms = each.value, each.annotations, None
        for labels, alert in list(self.known.items()):
            if labels not in found:
                self._missing(alert, now_ms)
            elif alert.state == "pending" and now_ms - alert.active_ms >= self.for_ms:
                alert.state, alert.fired_ms = "firing", now_ms

    def _missing(self, alert: Alert, now_ms: int) -> None:
        """The query does not give it any more."""
        if alert.state == "firing" and self.keep_ms:
            alert.kept_since_ms = alert.kept_since_ms or now_ms
            if now_ms - alert.kept_since_ms < self.keep_ms:
                return
        old = alert.resolved_ms is not None and now_ms - alert.resolved_ms > _REMEMBERED_MS
        if alert.state == "pending" or old:
            del self.known[alert.labels]
        elif alert.state == "firing":
            alert.state, alert.resolved_ms = "inactive", now_ms

    def set_back(self, by_ms: int) -> None:
        """The clock was set back: everything is as long ago as it was."""
        for alert in self.known.values():
            for name in _TIMES:
                moment = getattr(alert, name)
                if moment is not None:
                    setattr(alert, name, moment - by_ms)

    def restore(self, labels: Labels, active_ms: int, last_ms: int, now_ms: int) -> None:
        """An alert that was active before a restart goes on: time in which nobody looked does not count as waiting."""
        alert = self.known.get(labels)
        if alert is None:
            return
        waited = last_ms - active_ms
        alert.active_ms = active_ms if waited >= self.for_ms else active_ms + (now_ms - last_ms)
        if now_ms - alert.active_ms >= self.for_ms:
            alert.state, alert.fired_ms = "firing", now_ms

    @property
    def active(self) -> list[Alert]:
        return [alert for alert in self.known.values() if alert.state != "inactive"]

    @property
    def state(self) -> State:
        states = {alert.state for alert in self.known.values()}
        return "firing" if "firing" in states else "pending" if "pending" in states else "inactive"
