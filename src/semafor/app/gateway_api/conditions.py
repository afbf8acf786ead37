"""Conditions as documents, merged with what others have written. Pure.

Source: the notes for implementors at the Gateway API's types: what is not ours stays, in its place.
"""

from collections.abc import Iterable
from typing import Any

from semafor.planner.gateway_api.verdict import Verdict

Doc = dict[str, Any]


def condition(type_: str, verdict: Verdict) -> Doc:
    """The verdict as a condition, without its times."""
    status = "True" if verdict.holds else "False"
    return {"type": type_, "status": status, "reason": verdict.reason, "message": verdict.message}


def merged(old: Iterable[Doc], new: Iterable[Doc], generation: int, now: str, *, ours: frozenset[str]) -> list[Doc]:
    """The new conditions of an object of this generation among the old ones. `ours` are the types that we own."""
    before = {each["type"]: each for each in old}
    made = {each["type"]: _timed(each, before.get(each["type"], {}), generation, now) for each in new}
    kept = [made.get(type_, each) for type_, each in before.items() if type_ in made or type_ not in ours]
    return [*kept, *(each for type_, each in made.items() if type_ not in before)]


def _timed(new: Doc, old: Doc, generation: int, now: str) -> Doc:
    """The time is that of the last change of `status`."""
    if old.get("observedGeneration", 0) > generation:
        return old  # somebody knows a newer version than we do
    changed = old.get("status") != new["status"]
    since = now if changed else old.get("lastTransitionTime", now)
    return {**new, "observedGeneration": generation, "lastTransitionTime": since}
