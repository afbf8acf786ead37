"""Pods. Source: printPod in kubernetes/pkg/printers/internalversion/printers.go."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from semafor.kube.api.tables import ages
from semafor.kube.api.tables.printer import NONE, Cell, Printer, header, meta

Doc = dict[str, Any]

_COLUMNS = header(
    "Name", "Ready", "Status", "Restarts", "Age", wide=("IP", "Node", "Nominated Node", "Readiness Gates")
)


class _Tally:
    """What the containers' statuses add up to."""

    def __init__(self, reason: str, total: int) -> None:
        self.reason = reason
        self.total = total
        self.ready = 0
        self.restarts = 0
        self.last_restart = ""

    def count_restarts(self, status: Doc) -> None:
        self.restarts += int(status.get("restartCount") or 0)
        ended = ((status.get("lastState") or {}).get("terminated") or {}).get("finishedAt") or ""
        self.last_restart = max(self.last_restart, ended)


def _row(pod: Doc, now: datetime) -> Sequence[Cell]:
    spec, status = pod.get("spec", {}), pod.get("status", {})
    tally = _tally(pod)
    restarts = str(tally.restarts)
    if tally.restarts and tally.last_restart:
        restarts = f"{restarts} ({ages.since(tally.last_restart, now)} ago)"
    address = next((item.get("ip") for item in status.get("podIPs") or []), status.get("podIP"))
    return (
        meta(pod)["name"],
        f"{tally.ready}/{tally.total}",
        _final_reason(pod, tally.reason),
        restarts,
        ages.since(meta(pod).get("creationTimestamp"), now),
        address or NONE,
        spec.get("nodeName") or NONE,
        status.get("nominatedNodeName") or NONE,
        _gates(spec, status),
    )


def _tally(pod: Doc) -> _Tally:
    spec, status = pod.get("spec", {}), pod.get("status", {})
    sidecars = {item["name"] for item in spec.get("initContainers") or [] if item.get("restartPolicy") == "Always"}
    tally = _Tally(_first_reason(status), len(spec.get("containers") or []) + len(sidecars))
    initializing = _count_init(tally, spec, status, sidecars)
    if not initializing or _condition(status, "Initialized") == "True":
        _count_containers(tally, status, sidecars)
    return tally


def _first_reason(status: Doc) -> str:
    for condition in status.get("conditions") or []:
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "SchedulingGated":
            return "SchedulingGated"
    return status.get("reason") or status.get("phase") or ""


def _count_init(tally: _Tally, spec: Doc, status: Doc, sidecars: set[str]) -> bool:
    """Count init containers up to the first that is not done; tell whether there is one."""
    for index, item in enumerate(status.get("initContainerStatuses") or []):
        tally.count_restarts(item)
        state = item.get("state") or {}
        ended, waiting = state.get("terminated"), (state.get("waiting") or {}).get("reason")
        if ended is not None and ended.get("exitCode", 0) == 0:
            continue
        if item.get("name") in sidecars and item.get("started"):
            tally.ready += bool(item.get("ready"))
            continue
        if ended is not None:
            tally.reason = f"Init:{_why_ended(ended)}"
        elif waiting and waiting != "PodInitializing":
            tally.reason = f"Init:{waiting}"
        else:
            tally.reason = f"Init:{index}/{len(spec.get('initContainers') or [])}"
        return True
    return False


def _count_containers(tally: _Tally, status: Doc, sidecars: set[str]) -> None:
    tally.restarts, tally.last_restart = 0, ""
    for item in status.get("initContainerStatuses") or []:
        if item.get("name") in sidecars:
            tally.count_restarts(item)
    running = False
    for item in reversed(status.get("containerStatuses") or []):
        tally.count_restarts(item)
        state = item.get("state") or {}
        if (state.get("waiting") or {}).get("reason"):
            tally.reason = state["waiting"]["reason"]
        elif state.get("terminated") is not None:
            tally.reason = _why_ended(state["terminated"])
        elif item.get("ready") and state.get("running") is not None:
            running = True
            tally.ready += 1
    if tally.reason == "Completed" and running:
        tally.reason = "Running" if _condition(status, "Ready") == "True" else "NotReady"


def _why_ended(ended: Doc) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def _final_reason(pod: Doc, reason: str) -> str:
    status = pod.get("status", {})
    if "deletionTimestamp" not in meta(pod):
        return reason
    if status.get("reason") == "NodeLost":
        return "Unknown"
    return reason if status.get("phase") in ("Succeeded", "Failed") else "Terminating"


def _condition(status: Doc, type_: str) -> str:
    return next((item.get("status", "") for item in status.get("conditions") or [] if item.get("type") == type_), "")


def _gates(spec: Doc, status: Doc) -> str:
    gates = spec.get("readinessGates") or []
    if not gates:
        return NONE
    true = sum(_condition(status, gate.get("conditionType", "")) == "True" for gate in gates)
    return f"{true}/{len(gates)}"


POD = Printer(columns=_COLUMNS, row=_row)
