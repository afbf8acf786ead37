"""What a mesh object's status says: whether it is live, and what is wrong with it. Pure."""

from collections.abc import Sequence
from typing import Any

from semafor.app.liveness import Count
from semafor.base.problem import Problem

LIVE = "Live"
REFUSED = "RefusedByProxy"
UNUSABLE = "Unusable"
HELD = "Held"  # a route waits for its destinations
LEFT_OUT = "LeftOut"  # a patch of Envoy's configuration that cannot be applied
_NOT_IN_FORCE = (REFUSED, UNUSABLE)
_LEVELS = {"error": "ERROR", "warning": "WARNING", "info": "INFO"}


def status(old: dict[str, Any], generation: int, count: Count, problems: Sequence[Problem], now: str) -> dict[str, Any]:
    """The new status of an object of this `generation`; equal to `old` when nothing changed. `now` is RFC 3339."""
    others = [condition for condition in old.get("conditions") or [] if condition.get("type") != LIVE]
    before: dict[str, Any] = next(
        (condition for condition in old.get("conditions") or [] if condition.get("type") == LIVE), {}
    )
    now_live = live(count, problems) | {"type": LIVE, "observedGeneration": generation}
    changed = before.get("status") != now_live["status"]
    now_live["lastTransitionTime"] = now if changed else before.get("lastTransitionTime", now)
    fresh = old | {"observedGeneration": generation, "conditions": [*others, now_live]}
    fresh["validationMessages"] = [_message(problem) for problem in problems]
    if not problems:
        del fresh["validationMessages"]
    return fresh


def with_addresses(said: dict[str, Any], addresses: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The status with the addresses that the mesh has given to hosts, as Istio words it."""
    rest = {key: value for key, value in said.items() if key != "addresses"}
    given = [{"value": address, "host": host} for host, address in addresses]
    return rest | ({"addresses": given} if given else {})


def differs_in_numbers(old: dict[str, Any], fresh: dict[str, Any]) -> bool:
    """Whether both say that the object is live, and nothing is new but in how many proxies."""
    return bool(_without_message(old) == _without_message(fresh))


def _without_message(said: dict[str, Any]) -> Any:
    conditions = said.get("conditions") or []
    known = [{**each, "message": ""} if _is_live(each) else each for each in conditions]
    return {**said, "conditions": known} if any(_is_live(each) for each in conditions) else said


def _is_live(condition: dict[str, Any]) -> bool:
    return bool(condition.get("type") == LIVE and condition.get("status") == "True")


def was_refused(obj: dict[str, Any]) -> bool:
    """Whether the object's status says that proxies could not use it, as it is now."""
    generation = obj["metadata"].get("generation")
    conditions = (obj.get("status") or {}).get("conditions") or ()
    live: dict[str, Any] = next((condition for condition in conditions if condition.get("type") == LIVE), {})
    return live.get("reason") in _NOT_IN_FORCE and live.get("observedGeneration") == generation


def live(count: Count, problems: Sequence[Problem]) -> dict[str, str]:
    """Whether the object is in force everywhere, as a condition without its type and times."""
    refused = next((problem for problem in problems if problem.reason in (*_NOT_IN_FORCE, LEFT_OUT)), None)
    if refused is not None:
        return {"status": "False", "reason": refused.reason, "message": refused.message}
    waiting = next((problem for problem in problems if problem.reason == HELD), None)
    if waiting is not None:
        return {"status": "False", "reason": HELD, "message": f"{waiting.path}: {waiting.message}"}
    if not count.everywhere:
        return {"status": "False", "reason": "Pushing", "message": str(count)}
    return {"status": "True", "reason": "EveryProxyHasIt", "message": str(count)}


def _message(problem: Problem) -> dict[str, Any]:
    text = f"{problem.path}: {problem.message}" if problem.path else problem.message
    message = {"type": {"name": problem.reason}, "level": _LEVELS[problem.severity], "message": text}
    return message | ({"fix": problem.fix} if problem.fix else {})
