"""Options of requests. Source: Kubernetes' API reference."""

from typing import Annotated, Literal

from semafor.base.struct import Document
from semafor.resources.marks import ATOMIC


class Preconditions(Document):
    """What must be true before a deletion."""

    uid: Annotated[str | None, "UID that the object must have."] = None
    resource_version: Annotated[str | None, "Version that the object must have."] = None


class DeleteOptions(Document):
    """How an object is deleted."""

    api_version: Annotated[str, "API version of the object."] = ""
    kind: Annotated[str, "Kind of the object."] = "DeleteOptions"
    grace_period_seconds: Annotated[int | None, "Seconds that it has to end in good order; 0 means at once."] = None
    preconditions: Annotated[Preconditions | None, "What must be true before."] = None
    orphan_dependents: Annotated[bool | None, "Obsolete: use propagationPolicy."] = None
    propagation_policy: Annotated[
        Literal["Orphan", "Background", "Foreground"] | None, "What happens to the objects that it owns."
    ] = None
    dry_run: Annotated[tuple[str, ...], ATOMIC, "`All` means that nothing is really done."] = ()
    ignore_store_read_error_with_cluster_breaking_potential: Annotated[
        bool | None, "Deletes an object that cannot be read any more."
    ] = None
