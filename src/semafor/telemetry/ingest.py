"""One target: takes what it answers into the store, with its labels, and the series that tell how that went.

Source of the rules: Prometheus, scrape/scrape.go and "Automatically generated labels and time series".
"""

import re
from dataclasses import dataclass, field

from semafor.telemetry import exposition
from semafor.telemetry.exposition import BadExposition, Metadata
from semafor.telemetry.labels import NAME, Labels, of
from semafor.telemetry.series.store import Store

_DROPPED = 0  # no series has this number
# At most, once there is no more room: who makes up labels would else cost their reading at every scrape.
_LOOKED_AT = 1000
_EXPORTED = "exported_"  # put before a label of a sample that the target has as well


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a scrape went: `error` is "" when all is well; `samples` were read, `refused` of them found no room."""

    error: str
    samples: int
    refused: int
    duration_s: float


@dataclass(slots=True)
class Target:
    """What is read at one address. `group` names it in the store; `labels` has at least `job` and `instance`.

    Lines whose beginning `drop` matches are passed over.
    """

    group: str
    labels: Labels
    drop: re.Pattern[str] | None = None
    metadata: dict[str, Metadata] = field(default_factory=dict)
    _known: dict[str, int] = field(default_factory=dict)
    _reports: dict[str, Labels] = field(default_factory=dict)

    def take(self, store: Store, time_ms: int, body: str, duration_s: float) -> Outcome:
        """Take one answer. With a line that cannot be read nothing of it is taken, and `up` is 0."""
        try:
            values, refused, added = self._read(store, body)
        except BadExposition as error:
            return self.fail(store, time_ms, str(error), duration_s)
        count = len(values)
        self._report(store, values, {"up": 1.0, "scrape_duration_seconds": duration_s})
        kept = {"scrape_samples_scraped": count + refused, "scrape_samples_post_metric_relabeling": count}
        self._report(store, values, {**kept, "scrape_series_added": added})
        if refused:
            store.refused.over_limit += refused
        store.append_in_order(self.group, time_ms, values)
        return Outcome("", count + refused, refused, duration_s)

    def fail(self, store: Store, time_ms: int, error: str, duration_s: float) -> Outcome:
        """The target did not answer as it should: its series end here, and `up` is 0."""
        values: dict[int, float] = {}
        self._known = {}
        self._report(store, values, {"up": 0.0, "scrape_duration_seconds": duration_s})
        names = ("scrape_samples_scraped", "scrape_samples_post_metric_relabeling", "scrape_series_added")
        self._report(store, values, dict.fromkeys(names, 0.0))
        store.append_in_order(self.group, time_ms, values)
        return Outcome(error, 0, 0, duration_s)

    def end(self, store: Store, time_ms: int) -> None:
        """The target is gone: its series end."""
        self._known = {}
        store.append_in_order(self.group, time_ms, {})

    def _read(self, store: Store, body: str) -> tuple[dict[int, float], int, int]:
        values: dict[int, float] = {}
        before, now = self._known, {}
        refused = added = 0
        looked_at = 0  # of series that were not there at the last scrape
        may = _LOOKED_AT + (0 if before else store.limits.max_group_series)
        for head, value in exposition.lines(body, self.metadata, before):
            series = before.get(head)
            if series is None and self.drop is not None and self.drop.match(head):
                series = _DROPPED
            if series == _DROPPED:
                now[head] = _DROPPED
                continue
            if series is None and looked_at >= may and store.is_full(self.group):
                added, refused = added + 1, refused + 1
                continue
            if series is None:
                looked_at += 1
                series = store.resolve(self.group, self._labelled(exposition.labels(head)))
                added += 1
            if series is None:
                refused += 1
            else:
                values.setdefault(series, value)
                now[head] = series
        self._known = now
        return values, refused, added - refused

    def _labelled(self, found: Labels) -> Labels:
        own, pairs = dict(self.labels), dict(found)
        kept = {(_EXPORTED + name if name in own else name): value for name, value in pairs.items()}
        return of({**kept, **own})

    def _report(self, store: Store, values: dict[int, float], samples: dict[str, float]) -> None:
        for name, value in samples.items():
            labels = self._reports.get(name)
            if labels is None:
                labels = self._reports[name] = of({NAME: name, **dict(self.labels)})
            series = store.resolve(self.group, labels, needed=True)
            if series is not None:
                values[series] = value
