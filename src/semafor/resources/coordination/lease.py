"""Lease: who holds something, and until when."""

from typing import Annotated

from semafor.base.struct import Document
from semafor.resources.kind import Kind
from semafor.resources.meta.meta import ObjectMeta


class LeaseSpec(Document, frozen=True):
    """The holder and its times."""

    acquire_time: Annotated[str | None, "When the holder took it."] = None
    holder_identity: Annotated[str | None, "Who holds it."] = None
    lease_duration_seconds: Annotated[int | None, "How long after the last renewal others have to wait."] = None
    lease_transitions: Annotated[int | None, "How often it has changed hands."] = None
    preferred_holder: Annotated[str | None, "Who should hold it next."] = None
    renew_time: Annotated[str | None, "When the holder renewed it last."] = None
    strategy: Annotated[str | None, "How the next holder is chosen."] = None


class Lease(Document, frozen=True):
    """Something that one holder at a time has."""

    api_version: Annotated[str, "API version of the object."] = "coordination.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "Lease"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[LeaseSpec, "The holder and its times."] = LeaseSpec()


KIND = Kind(group="coordination.k8s.io", versions=("v1",), kind="Lease", plural="leases", document=Lease)
