"""Deployment, ReplicaSet, StatefulSet, DaemonSet, Job, CronJob, autoscaler, disruption budget. Source: printers.go."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from semafor.kube.api.rules.rules import at
from semafor.kube.api.tables import ages
from semafor.kube.api.tables.printer import (
    NONE,
    UNKNOWN,
    UNSET,
    Cell,
    Printer,
    column,
    containers,
    header,
    meta,
    pairs,
    selector,
)

Doc = dict[str, Any]

_TEMPLATE = ("Containers", "Images", "Selector")


def _int(obj: Doc, path: str) -> int:
    return int(at(obj, path) or 0)


def _age(obj: Doc, now: datetime) -> str:
    return ages.since(meta(obj).get("creationTimestamp"), now)


def _template(obj: Doc) -> tuple[str, str]:
    return containers(at(obj, "spec.template.spec"))


def _deployment(obj: Doc, now: datetime) -> Sequence[Cell]:
    return (
        meta(obj)["name"],
        f"{_int(obj, 'status.readyReplicas')}/{_int(obj, 'spec.replicas')}",
        _int(obj, "status.updatedReplicas"),
        _int(obj, "status.availableReplicas"),
        _age(obj, now),
        *_template(obj),
        selector(at(obj, "spec.selector")),
    )


DEPLOYMENT = Printer(
    columns=(
        *header("Name", "Ready"),
        column("Up-to-date", "integer"),
        column("Available", "integer"),
        *header("Age", wide=_TEMPLATE),
    ),
    row=_deployment,
)


def _replica_set(obj: Doc, now: datetime) -> Sequence[Cell]:
    wanted = at(obj, "spec.selector") or {}
    shown = selector(wanted) if obj.get("kind") != "ReplicationController" else pairs(wanted)
    counts = (_int(obj, "spec.replicas"), _int(obj, "status.replicas"), _int(obj, "status.readyReplicas"))
    return (meta(obj)["name"], *counts, _age(obj, now), *_template(obj), shown)


REPLICA_SET = Printer(
    columns=(
        column("Name"),
        *(column(name, "integer") for name in ("Desired", "Current", "Ready")),
        *header("Age", wide=_TEMPLATE),
    ),
    row=_replica_set,
)


def _stateful_set(obj: Doc, now: datetime) -> Sequence[Cell]:
    ready = f"{_int(obj, 'status.readyReplicas')}/{_int(obj, 'spec.replicas')}"
    return (meta(obj)["name"], ready, _age(obj, now), *_template(obj))


STATEFUL_SET = Printer(columns=header("Name", "Ready", "Age", wide=("Containers", "Images")), row=_stateful_set)


_DAEMON_COUNTS = (
    "desiredNumberScheduled",
    "currentNumberScheduled",
    "numberReady",
    "updatedNumberScheduled",
    "numberAvailable",
)


def _daemon_set(obj: Doc, now: datetime) -> Sequence[Cell]:
    return (
        meta(obj)["name"],
        *(_int(obj, f"status.{field}") for field in _DAEMON_COUNTS),
        pairs(at(obj, "spec.template.spec.nodeSelector")),
        _age(obj, now),
        *_template(obj),
        selector(at(obj, "spec.selector")),
    )


DAEMON_SET = Printer(
    columns=(
        column("Name"),
        *(column(name, "integer") for name in ("Desired", "Current", "Ready", "Up-to-date", "Available")),
        *header("Node Selector", "Age", wide=_TEMPLATE),
    ),
    row=_daemon_set,
)


def _job(obj: Doc, now: datetime) -> Sequence[Cell]:
    return (
        meta(obj)["name"],
        _job_status(obj),
        _completions(obj),
        _job_duration(obj, now),
        _age(obj, now),
        *_template(obj),
        selector(at(obj, "spec.selector")),
    )


def _completions(obj: Doc) -> str:
    succeeded, wanted = _int(obj, "status.succeeded"), at(obj, "spec.completions")
    if wanted is not None:
        return f"{succeeded}/{wanted}"
    parallelism = at(obj, "spec.parallelism") or 0
    return f"{succeeded}/1" + (f" of {parallelism}" if parallelism > 1 else "")


def _job_status(obj: Doc) -> str:
    words = {"Complete": "Complete", "Failed": "Failed", "Suspended": "Suspended", "FailureTarget": "FailureTarget"}
    true = {item.get("type") for item in at(obj, "status.conditions") or [] if item.get("status") == "True"}
    for type_, word in words.items():
        if type_ in true:
            return word
    return "Terminating" if "deletionTimestamp" in meta(obj) else "Running"


def _job_duration(obj: Doc, now: datetime) -> str:
    began, ended = ages.parse(at(obj, "status.startTime")), ages.parse(at(obj, "status.completionTime"))
    return ages.human(((ended or now) - began).total_seconds()) if began else ""


JOB = Printer(columns=header("Name", "Status", "Completions", "Duration", "Age", wide=_TEMPLATE), row=_job)


def _cron_job(obj: Doc, now: datetime) -> Sequence[Cell]:
    template = at(obj, "spec.jobTemplate.spec") or {}
    last = at(obj, "status.lastScheduleTime")
    return (
        meta(obj)["name"],
        at(obj, "spec.schedule") or "",
        at(obj, "spec.timeZone") or NONE,
        str(bool(at(obj, "spec.suspend"))),
        len(at(obj, "status.active") or []),
        ages.since(last, now) if last else NONE,
        _age(obj, now),
        *containers(at(template, "template.spec")),
        selector(template.get("selector")),
    )


CRON_JOB = Printer(
    columns=(
        *header("Name", "Schedule", "Timezone", "Suspend"),
        column("Active", "integer"),
        *header("Last Schedule", "Age", wide=_TEMPLATE),
    ),
    row=_cron_job,
)


def _autoscaler(obj: Doc, now: datetime) -> Sequence[Cell]:
    target = at(obj, "spec.scaleTargetRef") or {}
    least, most = at(obj, "spec.minReplicas") or UNSET, _int(obj, "spec.maxReplicas")
    replicas = _int(obj, "status.currentReplicas")
    reference = f"{target.get('kind', '')}/{target.get('name', '')}"
    return (meta(obj)["name"], reference, _targets(obj), least, most, replicas, _age(obj, now))


def _targets(obj: Doc) -> str:
    """`cpu: 30%/80%, memory: <unknown>/2Gi`."""
    current = at(obj, "status.currentMetrics") or []
    shown = []
    for index, metric in enumerate(at(obj, "spec.metrics") or []):
        source = metric.get("resource") or {}
        now = (current[index].get("resource") or {}).get("current", {}) if index < len(current) else {}
        name, target = source.get("name", metric.get("type", "")), _amount(source.get("target") or {})
        shown.append(f"{name}: {_amount(now)}/{target}")
    return ", ".join(shown) or NONE


def _amount(value: Doc) -> str:
    if value.get("averageUtilization") is not None:
        return f"{value['averageUtilization']}%"
    return str(value.get("averageValue") or value.get("value") or UNKNOWN)


AUTOSCALER = Printer(
    columns=(
        *header("Name", "Reference", "Targets", "MinPods", "MaxPods"),
        column("Replicas", "integer"),
        column("Age"),
    ),
    row=_autoscaler,
)


def _budget(obj: Doc, now: datetime) -> Sequence[Cell]:
    least, most = at(obj, "spec.minAvailable"), at(obj, "spec.maxUnavailable")
    return (
        meta(obj)["name"],
        "N/A" if least is None else str(least),
        "N/A" if most is None else str(most),
        _int(obj, "status.disruptionsAllowed"),
        _age(obj, now),
    )


DISRUPTION_BUDGET = Printer(
    columns=(
        *header("Name", "Min Available", "Max Unavailable"),
        column("Allowed Disruptions", "integer"),
        column("Age"),
    ),
    row=_budget,
)
