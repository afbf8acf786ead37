"""What a patch can be refused for.

PatchError
├── MalformedError     the patch itself is wrong: 400 BadRequest
├── InapplicableError  it is well formed but does not fit this object: 422 Invalid
└── ConflictError      server-side apply met fields that others own: 409 Conflict
"""

from semafor.base.struct import Value


class PatchError(Exception):
    """The patch was not applied; the message is for the user."""


class MalformedError(PatchError):
    """The patch is not a patch of its kind."""


class InapplicableError(PatchError):
    """The patch cannot be applied to this object."""


class Owned(Value):
    """One field that another manager owns: `manager` as kube-apiserver words it, `field` as a path."""

    manager: str
    field: str

    @property
    def message(self) -> str:
        return f"conflict with {self.manager}"


class ConflictError(PatchError):
    """Fields of an apply belong to others, with other values. `causes` is never empty."""

    def __init__(self, causes: tuple[Owned, ...]) -> None:
        super().__init__(_words(causes))
        self.causes = causes


def _words(causes: tuple[Owned, ...]) -> str:
    """The sentence of kube-apiserver (managedfields/internal/conflict.go)."""
    if len(causes) == 1:
        return f"Apply failed with 1 conflict: {causes[0].message}: {causes[0].field}"
    by_manager: dict[str, list[str]] = {}
    for cause in causes:
        by_manager.setdefault(cause.manager, []).append(f"- {cause.field}")
    parts = [f"conflicts with {manager}:\n" + "\n".join(fields) for manager, fields in sorted(by_manager.items())]
    return f"Apply failed with {len(causes)} conflicts: " + "\n".join(parts)
