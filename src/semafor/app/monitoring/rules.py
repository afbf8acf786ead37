"""PrometheusRules: judged when they are applied, evaluated while they are there."""

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

from semafor.app.monitoring.receivers import Receivers
from semafor.app.monitoring.thread import Thread
from semafor.kube.api import errors
from semafor.kube.api.options import AdmissionRequest, Admitted
from semafor.resources.errors import FieldError
from semafor.resources.monitoring import prometheus_rule

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from semafor.kube.api.client import Client
    from semafor.telemetry.promql import Engine
    from semafor.telemetry.rules import Groups
    from semafor.telemetry.rules.alerts import Alert
    from semafor.telemetry.series import Store

Json = dict[str, Any]

_RESEND_MS: Final = 60_000  # a receiver is reminded of an alert that goes on, as Prometheus does
_REPEAT_MS: Final = 4 * 3_600_000  # and a webhook, as Alertmanager does
_ENDS_AFTER_S: Final = 240.0  # an alert of which nothing more is heard is over for the receiver


class Rules:
    """Evaluates all PrometheusRules. What it shows is as of the last evaluation."""

    def __init__(self, client: "Client", thread: Thread, receivers: Receivers) -> None:
        self._client = client
        self._thread = thread
        self._receivers = receivers
        self._groups: Groups | None = None
        self._telling: asyncio.Task[None] | None = None
        self.shown: list[Json] = []
        self.alerts: list[Json] = []

    async def run(self) -> None:
        """Evaluate for ever."""
        seen = -1
        async with asyncio.TaskGroup() as tasks:
            while True:
                _, version = self._client.changes(prometheus_rule.KIND, seen)
                documents = self._client.list(prometheus_rule.KIND) if version != seen or seen < 0 else None
                seen = version
                if documents is not None or self._groups is not None:
                    await self._evaluate(documents, tasks)
                await asyncio.sleep(1.0)

    async def _evaluate(self, documents: list[Json] | None, tasks: asyncio.TaskGroup) -> None:
        if documents == [] and self._groups is None:
            return  # nobody wants anything: nothing has to be loaded

        def work(store: "Store", engine: "Engine") -> "list[Alert]":
            from semafor.telemetry import rules

            now_ms = round(time.time() * 1000)
            groups = self._groups = self._groups or rules.Groups()
            if documents is not None:
                groups.replace([group for each in documents for group in _read(each)], now_ms)
            groups.evaluate(store, engine, now_ms)
            self.shown, self.alerts = groups.shown(), groups.active()
            return [alert for _, _, alert in groups.alerts() if _is_news(alert, now_ms)]

        news = await self._thread.run(work)
        if news and self._receivers.addresses() and (self._telling is None or self._telling.done()):
            self._telling = tasks.create_task(self._tell(news), name="alerts")

    async def _tell(self, news: "list[Alert]") -> None:
        """Tell the receivers. What they have not heard is news again at the next evaluation."""
        now_ms = round(time.time() * 1000)
        states = [alert.state for alert in news]
        posted = [_posted(alert, now_ms / 1000) for alert in news]
        told = [_is_to_be_told(alert, now_ms) for alert in news]
        if await self._receivers.tell(posted, [each for each, new in zip(posted, told, strict=True) if new]):
            for alert, state, new in zip(news, states, told, strict=True):
                alert.sent_ms, alert.sent_state = now_ms, state
                alert.told_ms = now_ms if new else alert.told_ms


class Judgement:
    """An admission hook: a rule whose expression or text cannot be read is refused, with the path of the field."""

    def __init__(
        self, ask: "Callable[[Callable[[Store, Engine], list[FieldError]]], Awaitable[list[FieldError]]]"
    ) -> None:
        self._ask = ask

    async def admit(self, request: AdmissionRequest) -> Admitted:
        new = request.new
        if new is None or request.kind is not prometheus_rule.KIND:
            return Admitted(new or {})

        def work(_: "Store", __: "Engine") -> list[FieldError]:
            from semafor.telemetry import rules

            faults = rules.read(new.get("spec") or {}, "")[1]
            return [FieldError(each.path, "FieldValueInvalid", f"Invalid value: {each.message}") for each in faults]

        if wrong := await self._ask(work):
            raise errors.invalid(request.kind, request.name, wrong)
        return Admitted(new)


def _read(document: Json) -> "tuple[Any, ...]":
    from semafor.telemetry import rules

    metadata = document["metadata"]
    return rules.read(document.get("spec") or {}, f"{metadata['namespace']}/{metadata['name']}")[0]


def _is_news(alert: "Alert", now_ms: int) -> bool:
    """Whether receivers should hear of it: it fires, or did and does no more."""
    if alert.state == "pending" or (alert.state == "inactive" and alert.sent_state != "firing"):
        return False
    return alert.state != alert.sent_state or alert.sent_ms is None or now_ms - alert.sent_ms >= _RESEND_MS


def _is_to_be_told(alert: "Alert", now_ms: int) -> bool:
    """The same of those that tell people what they hear."""
    return alert.state != alert.sent_state or alert.told_ms is None or now_ms - alert.told_ms >= _REPEAT_MS


def _posted(alert: "Alert", now_s: float) -> Json:
    """An alert as Alertmanager takes it."""
    from semafor.telemetry.times import stamp

    firing = alert.state == "firing"
    ends = now_s + _ENDS_AFTER_S if firing else (alert.resolved_ms or 0) / 1000
    return {
        "status": "firing" if firing else "resolved",
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": stamp((alert.fired_ms or alert.active_ms) / 1000),
        "endsAt": stamp(ends),
        "generatorURL": "",
    }
