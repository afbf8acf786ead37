"""What is read, what was said of it, and the rules over it."""

from starlette.requests import Request
from starlette.responses import Response

from semafor.telemetry.api import encoding, parameters
from semafor.telemetry.api.backend import Backend, Json, TargetView
from semafor.telemetry.api.parameters import BadParameter, Parameters
from semafor.telemetry.exposition import Metadata
from semafor.telemetry.promql import printer
from semafor.telemetry.times import stamp


async def targets(backend: Backend, given: Parameters, _: Request) -> Response:
    state = parameters.text(given, "state") or "any"
    shown = [_target(each) for each in backend.targets()] if state in ("active", "any") else []
    return encoding.success({"activeTargets": shown, "droppedTargets": [], "droppedTargetCounts": {}})


def _target(target: TargetView) -> Json:
    health = "unknown" if target.last_scrape is None else "down" if target.error else "up"
    return {
        "discoveredLabels": dict(target.discovered),
        "labels": dict(target.labels),
        "scrapePool": target.pool,
        "scrapeUrl": target.url,
        "globalUrl": target.url,
        "lastError": target.error,
        "lastScrape": stamp(target.last_scrape),
        "lastScrapeDuration": target.duration_s,
        "health": health,
        "scrapeInterval": printer.duration(round(target.interval_s * 1000)),
        "scrapeTimeout": printer.duration(round(target.timeout_s * 1000)),
    }


def _said(said: Metadata) -> Json:
    return {"type": said.type, "help": said.help, "unit": said.unit}


async def metadata(backend: Backend, given: Parameters, _: Request) -> Response:
    limit, wanted = parameters.count(given, "limit", -1), parameters.text(given, "metric")
    each = parameters.count(given, "limit_per_metric", -1)
    found: dict[str, list[Json]] = {}
    for target in backend.targets():
        for name, said in target.metadata.items():
            if wanted in ("", name) and _said(said) not in found.setdefault(name, []):
                found[name].append(_said(said))
    if each > 0:
        found = {name: said[:each] for name, said in found.items()}
    return encoding.success(dict(list(found.items())[:limit]) if limit >= 0 else found)


async def of_targets(backend: Backend, given: Parameters, _: Request) -> Response:
    limit, wanted = parameters.count(given, "limit", -1), parameters.text(given, "metric")
    found = [
        {"target": dict(target.labels), "metric": name, **_said(said)}
        for target in backend.targets()
        for name, said in target.metadata.items()
        if wanted in ("", name)
    ]
    return encoding.success(found[:limit] if limit >= 0 else found)


async def rules(backend: Backend, given: Parameters, _: Request) -> Response:
    wanted = parameters.text(given, "type").lower()
    kinds = {"": ("alerting", "recording"), "alert": ("alerting",), "record": ("recording",)}.get(wanted)
    if kinds is None:
        raise BadParameter(f'invalid parameter "type": not supported value "{wanted}"')
    groups, names = backend.rules(), parameters.texts(given, "rule_group[]")
    shown = [
        {**group, "rules": [rule for rule in group["rules"] if rule["type"] in kinds]}
        for group in groups
        if not names or group["name"] in names
    ]
    return encoding.success({"groups": shown})


async def alerts(backend: Backend, _: Parameters, __: Request) -> Response:
    return encoding.success({"alerts": backend.alerts()})


async def alertmanagers(_: Backend, __: Parameters, ___: Request) -> Response:
    return encoding.success({"activeAlertmanagers": [], "droppedAlertmanagers": []})
