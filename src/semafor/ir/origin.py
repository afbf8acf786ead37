"""Provenance: which field of which object a node of the plan comes from."""

from semafor.base.problem import ObjectRef
from semafor.base.struct import Value


class Origin(Value):
    """The field `path` of the object `ref`; an empty path means the object as a whole."""

    ref: ObjectRef
    path: str = ""

    def __str__(self) -> str:
        return f"{self.ref} {self.path}".rstrip()
