"""What the failure of a Job's pod means by its podFailurePolicy. Pure. Source: pod_failure_policy.go."""

from collections.abc import Iterator
from typing import Any, NamedTuple

Doc = dict[str, Any]


class Meaning(NamedTuple):
    """What is done about a failed pod: `Count` it against backoffLimit, `Ignore` it, or `FailJob`, for a reason."""

    action: str
    message: str = ""


def meaning(job: Doc, pod: Doc) -> Meaning:
    """The first rule that matches; a pod that none matches counts."""
    if pod.get("status", {}).get("phase") == "Failed":
        for number, rule in enumerate((job["spec"].get("podFailurePolicy") or {}).get("rules", ())):
            if why := next(_matches(rule, pod), ""):
                words = f"{why} matching {rule['action']} rule at index {number}"
                return Meaning(rule["action"], words if rule["action"] == "FailJob" else "")
    return Meaning("Count")


def _matches(rule: Doc, pod: Doc) -> Iterator[str]:
    where = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
    for name, code in _exit_codes(pod):
        if "onExitCodes" in rule and _fits(rule["onExitCodes"], name, code):
            yield f"Container {name} for pod {where} failed with exit code {code}"
    for wanted in rule.get("onPodConditions", ()):
        for condition in pod["status"].get("conditions") or ():
            if (condition["type"], condition["status"]) == (wanted["type"], wanted.get("status", "True")):
                yield f"Pod {where} has condition {condition['type']}"


def _exit_codes(pod: Doc) -> Iterator[tuple[str, int]]:
    status = pod["status"]
    for each in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        ended = each.get("state", {}).get("terminated")
        if ended and ended["exitCode"]:
            yield each["name"], ended["exitCode"]


def _fits(requirement: Doc, name: str, code: int) -> bool:
    if requirement.get("containerName") not in (None, name):
        return False
    listed = code in requirement.get("values", ())
    return bool(listed == (requirement["operator"] == "In"))
