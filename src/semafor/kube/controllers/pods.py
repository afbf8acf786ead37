"""What controllers read off pods. Pure."""

from datetime import datetime
from typing import Any

Doc = dict[str, Any]


def condition(obj: Doc, kind: str) -> Doc:
    """The condition of this type; empty when there is none."""
    return next((c for c in obj.get("status", {}).get("conditions") or () if c["type"] == kind), {})


def is_ready(pod: Doc) -> bool:
    return condition(pod, "Ready").get("status") == "True"


def is_finished(pod: Doc) -> bool:
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def is_active(pod: Doc) -> bool:
    """Counts for its set: neither finished nor being deleted."""
    return not is_finished(pod) and "deletionTimestamp" not in pod["metadata"]


def available_in_s(pod: Doc, min_ready_s: int, now: datetime) -> float | None:
    """Seconds until the pod counts as available: 0 when it does, None while it is not ready."""
    if not is_ready(pod):
        return None
    since = datetime.fromisoformat(condition(pod, "Ready")["lastTransitionTime"])
    return max(0.0, min_ready_s - (now - since).total_seconds()) if min_ready_s else 0.0
