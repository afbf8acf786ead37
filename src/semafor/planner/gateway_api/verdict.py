"""What is said of an object in one condition of its status."""

from collections.abc import Iterable

from msgspec.structs import replace

from semafor.base.problem import Problem
from semafor.base.struct import Value


class Verdict(Value):
    """`reason` is the specification's word, `message` a sentence for people."""

    holds: bool
    reason: str
    message: str


def accepted(message: str) -> Verdict:
    """The object is taken."""
    return Verdict(holds=True, reason="Accepted", message=message)


def resolved() -> Verdict:
    """Every object that is named is there, and may be used."""
    return Verdict(holds=True, reason="ResolvedRefs", message="every reference is resolved")


def refused(reason: str, message: str) -> Verdict:
    """The object, or a part of it, has no effect."""
    return Verdict(holds=False, reason=reason, message=message)


def noted(verdict: Verdict, problems: Iterable[Problem]) -> Verdict:
    """The verdict, with the fields named that have no effect."""
    paths = [problem.path for problem in problems if problem.reason == "NotSupported"]
    if not paths:
        return verdict
    return replace(verdict, message=f"{verdict.message}; without effect: {', '.join(paths)}")
