"""A user's mistake, as a value: collected, shown, never raised, never in the way of another's configuration."""

from typing import Literal

from semafor.base.struct import Value


class ObjectRef(Value):
    """Which object, in Kubernetes' words. `namespace` is empty for cluster-scoped kinds."""

    kind: str
    name: str
    namespace: str = ""
    group: str = ""

    def __str__(self) -> str:
        where = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {where}"


class Problem(Value):
    """What is wrong, where, and how to mend it.

    `path` is the field in the object (`spec.http[0].route[1].destination.subset`), empty for the whole object.
    `reason` is a CamelCase word that scripts can match; `message` and `fix` are sentences for people.
    An `error` means that something the user asked for is not in effect; a `warning` means that it is, but
    probably not as meant; `info` is worth knowing.
    """

    ref: ObjectRef
    path: str
    reason: str
    message: str
    fix: str = ""
    severity: Literal["error", "warning", "info"] = "warning"

    def __str__(self) -> str:
        where = f"{self.ref} {self.path}".rstrip()
        return f"{where}: {self.message}" + (f" ({self.fix})" if self.fix else "")
