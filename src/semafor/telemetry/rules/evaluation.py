"""Evaluates groups of rules, and remembers how that went."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from semafor.telemetry.labels import EMPTY, NAME, Labels, nameless, of
from semafor.telemetry.matching import Matcher
from semafor.telemetry.promql import Engine, QueryError, Result, Row, numbers, printer
from semafor.telemetry.promql.errors import ExecutionError
from semafor.telemetry.rules import templates
from semafor.telemetry.rules.alerts import Alert, Alerts, Seen
from semafor.telemetry.rules.written import Group, Rule
from semafor.telemetry.series import Store
from semafor.telemetry.series.bits import is_stale
from semafor.telemetry.times import stamp

Json = dict[str, Any]

_OUTAGE_MS: Final = 3_600_000  # an alert of longer ago is not restored, as with Prometheus


@dataclass(slots=True)
class _Health:
    health: str = "unknown"
    error: str = ""
    at_s: float | None = None
    took_s: float = 0.0


@dataclass(slots=True)
class _Running:
    """One group, its alerts, and when it is due."""

    group: Group
    due_ms: int
    alerts: list[Alerts]
    health: list[_Health]
    started: bool = False
    at_s: float | None = None
    took_s: float = 0.0
    last: dict[str, int] = field(default_factory=dict)


class Groups:
    """All groups. Lives where the store lives."""

    def __init__(self) -> None:
        self._running: dict[str, _Running] = {}
        self._now_ms = 0

    def replace(self, groups: Iterable[Group], now_ms: int) -> None:
        """Take these groups for all there are. A group that is as it was goes on with its alerts."""
        wanted = {group.key: group for group in groups}
        for key in self._running.keys() - wanted.keys():
            del self._running[key]
        for key, group in wanted.items():
            known = self._running.get(key)
            if known is None or known.group != group:
                self._running[key] = _begun(group, now_ms, known)

    def evaluate(self, store: Store, engine: Engine, now_ms: int) -> int:
        """Evaluate the groups that are due; the time when the next one is.

        When the clock was set back, what has lasted so far goes on lasting: else rules would sleep for as long, and
        who is reminded of alerts would take them for over.
        """
        if now_ms < self._now_ms:
            self._set_back(self._now_ms - now_ms)
        self._now_ms = now_ms
        for running in self._running.values():
            if running.due_ms <= now_ms:
                missed = (now_ms - running.due_ms) // running.group.interval_ms
                running.due_ms += running.group.interval_ms * (missed + 1)
                _evaluate(running, store, engine, now_ms)
        return min((running.due_ms for running in self._running.values()), default=now_ms + 1000)

    def _set_back(self, by_ms: int) -> None:
        for running in self._running.values():
            running.due_ms -= by_ms
            for alerts in running.alerts:
                alerts.set_back(by_ms)

    def alerts(self) -> list[tuple[Group, Rule, Alert]]:
        """Every alert that is known, resolved ones too."""
        return [
            (running.group, rule, alert)
            for running in self._running.values()
            for rule, alerts in zip(running.group.rules, running.alerts, strict=True)
            for alert in alerts.known.values()
        ]

    def active(self) -> list[Json]:
        """The alerts that are pending or firing, as the API shows them."""
        return [alert_shown(alert) for _, _, alert in self.alerts() if alert.state != "inactive"]

    def shown(self) -> list[Json]:
        """The groups as Prometheus's API shows them."""
        return [_group(running) for running in sorted(self._running.values(), key=lambda each: each.group.key)]


def _begun(group: Group, now_ms: int, before: _Running | None) -> _Running:
    """A new group; rules that it had before keep their alerts."""
    kept: dict[tuple[str, str], Alerts] = {}
    if before is not None:
        kept = {(rule.name, rule.text): each for rule, each in zip(before.group.rules, before.alerts, strict=True)}
    alerts = []
    for rule in group.rules:
        known = kept.get((rule.name, rule.text))
        alerts.append(Alerts(rule.for_ms, rule.keep_ms, known.known if known else {}))
    due = before.due_ms if before else now_ms
    return _Running(group, due, alerts, [_Health() for _ in group.rules], started=before is not None)


def _evaluate(running: _Running, store: Store, engine: Engine, now_ms: int) -> None:
    began = time.monotonic()
    samples: dict[Labels, float] = {}
    for rule, alerts, health in zip(running.group.rules, running.alerts, running.health, strict=True):
        since = time.monotonic()
        try:
            found = engine.instant(rule.text, now_ms - running.group.offset_ms)
            made = _recorded(rule, found) if rule.record else _alerted(rule, alerts, found, now_ms, engine)
            _within_limit(running.group, rule, alerts, made)
            if rule.alert:
                if not running.started:
                    _restore(rule, alerts, store, now_ms)
                made = _alert_samples(alerts)
            samples |= {labels: value for labels, value in made.items() if labels not in samples}
            health.health, health.error = "ok", ""
        except (QueryError, templates.BadTemplate) as error:
            health.health, health.error = "err", str(error)
        health.at_s, health.took_s = now_ms / 1000, time.monotonic() - since
        if rule.record and health.health == "ok":  # rules after this one may ask for it
            store.append(f"{running.group.key}/{rule.record}", now_ms, list(made.items()))
    store.append(running.group.key, now_ms, [each for each in samples.items() if _is_alert(each[0])])
    running.started, running.at_s, running.took_s = True, now_ms / 1000, time.monotonic() - began


def _is_alert(labels: Labels) -> bool:
    return dict(labels).get(NAME, "").startswith("ALERTS")


def _within_limit(group: Group, rule: Rule, alerts: Alerts, made: Mapping[Labels, float]) -> None:
    count = len(alerts.active) if rule.alert else len(made)
    if group.limit and count > group.limit:
        alerts.known.clear()
        raise ExecutionError(f"exceeded limit of {group.limit} with {count} {'alerts' if rule.alert else 'series'}")


def _rows(found: Result) -> tuple[Row, ...]:
    if found.kind not in ("vector", "scalar"):
        raise ExecutionError("rule result is not a vector or scalar")
    return found.rows


def _recorded(rule: Rule, found: Result) -> dict[Labels, float]:
    fixed = {name: text.source for name, text in rule.labels.items()}
    samples: dict[Labels, float] = {}
    for row in _rows(found):
        labels = of({**dict(row.labels), **fixed, NAME: rule.record})
        if labels in samples:
            raise ExecutionError("vector contains metrics with the same labelset after applying rule labels")
        samples[labels] = row.last.value
    return samples


def _alerted(rule: Rule, alerts: Alerts, found: Result, now_ms: int, engine: Engine) -> dict[Labels, float]:
    seen: dict[Labels, Seen] = {}

    def query(text: str) -> list[templates.Found]:
        return [templates.Found(dict(row.labels), row.last.value) for row in _rows(engine.instant(text, now_ms))]

    for row in _rows(found):
        own = dict(nameless(row.labels))
        about = templates.About(own, row.last.value, query)
        added = {name: text.written(about) for name, text in rule.labels.items()}
        labels = of({**own, **added, "alertname": rule.alert})
        if labels in seen:
            raise ExecutionError("vector contains metrics with the same labelset after applying alert labels")
        annotations = {name: text.written(about) for name, text in rule.annotations.items()}
        seen[labels] = Seen(labels, annotations, row.last.value)
    alerts.take(seen.values(), now_ms)
    return {}


def _alert_samples(alerts: Alerts) -> dict[Labels, float]:
    samples: dict[Labels, float] = {}
    for alert in alerts.active:
        own = dict(alert.labels)
        samples[of({**own, NAME: "ALERTS", "alertstate": alert.state})] = 1.0
        samples[of({**own, NAME: "ALERTS_FOR_STATE"})] = float(alert.active_ms // 1000)
    return samples


def _restore(rule: Rule, alerts: Alerts, store: Store, now_ms: int) -> None:
    """After a restart: since when alerts were active, which their series tell."""
    if not rule.for_ms or not alerts.active:
        return
    asked = (Matcher(NAME, "=", "ALERTS_FOR_STATE"), Matcher("alertname", "=", rule.alert))
    for series in store.select(asked, now_ms - _OUTAGE_MS, now_ms):
        living = ~is_stale(series.values)
        if living.any():
            last = int(series.times[living][-1])
            active = int(float(series.values[living][-1]) * 1000)
            alerts.restore(nameless(series.labels) or EMPTY, active, last, now_ms)


# As the API shows it


def _group(running: _Running) -> Json:
    group = running.group
    rules = zip(group.rules, running.alerts, running.health, strict=True)
    return {
        "name": group.name,
        "file": group.file,
        "interval": group.interval_ms / 1000,
        "limit": group.limit,
        "evaluationTime": running.took_s,
        "lastEvaluation": stamp(running.at_s),
        "rules": [_rule(*each) for each in rules],
    }


def _rule(rule: Rule, alerts: Alerts, health: _Health) -> Json:
    shown: Json = {
        "name": rule.name,
        "query": printer.written(rule.expr),
        "labels": {name: text.source for name, text in rule.labels.items()},
        "health": health.health,
        "evaluationTime": health.took_s,
        "lastEvaluation": stamp(health.at_s),
        "type": "alerting" if rule.alert else "recording",
    }
    if health.error:
        shown["lastError"] = health.error
    if rule.alert:
        shown |= {
            "state": alerts.state,
            "duration": rule.for_ms / 1000,
            "keepFiringFor": rule.keep_ms / 1000,
            "annotations": {name: text.source for name, text in rule.annotations.items()},
            "alerts": [alert_shown(alert) for alert in alerts.active],
        }
    return shown


def alert_shown(alert: Alert) -> Json:
    """An alert as the API shows it."""
    return {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "state": alert.state,
        "activeAt": stamp(alert.active_ms / 1000),
        "value": numbers.exponential(alert.value),
    }
