"""What was changed of the configuration, when, and by whom? And what would it take to have it back?"""

from collections.abc import Sequence
from typing import Any

from semafor.app.history import revision
from semafor.app.history.revision import Revision
from semafor.kube.api.errors import StatusError

Doc = dict[str, Any]


def listed(revisions: Sequence[Revision]) -> list[Doc]:
    """The revisions without the objects themselves, the oldest first."""
    return [
        {
            "number": each.number,
            "at": each.at,
            "changes": [
                {"how": step.how, "object": _name(step.key), "who": step.who, "with": step.with_} for step in each.steps
            ],
        }
        for each in revisions
    ]


def one(revisions: Sequence[Revision], number: int) -> Revision:
    """The revision. Raises StatusError."""
    found = next((each for each in revisions if each.number == number), None)
    if found is None:
        raise StatusError(404, "NotFound", _unknown(revisions, number))
    return found


def undone(revisions: Sequence[Revision], number: int) -> Doc:
    """The objects to put, and those to delete, so that all is as it was after that revision. Raises StatusError.

    One before the oldest that is kept is how everything was before that.
    """
    oldest = revisions[0].number if revisions else 1
    newest = revisions[-1].number if revisions else 0
    if not oldest - 1 <= number <= newest:
        raise StatusError(404, "NotFound", _unknown(revisions, number))
    states = revision.since(revisions, number)
    ends = {step.key: step.after for each in revisions for step in each.steps}
    return {
        "put": [state for key, state in states.items() if state is not None and state != ends[key]],
        "delete": [ends[key] for key, state in states.items() if state is None and ends[key] is not None],
    }


def _unknown(revisions: Sequence[Revision], number: int) -> str:
    if not revisions:
        return f"there is no revision {number}: nothing has been changed since the history began"
    first, last = revisions[0].number, revisions[-1].number
    return f"there is no revision {number}: {first} to {last} are kept, and {first - 1} is what was before"


def _name(key: revision.Key) -> str:
    _, kind, namespace, name = key
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"
