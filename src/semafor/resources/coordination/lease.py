"""Lease: who holds a lock. Source: Kubernetes' API reference."""

from typing import Annotated

from semafor.base.struct import Document
from semafor.resources.kind import Kind
from semafor.resources.marks import POSITIVE, Time, within
from semafor.resources.meta.meta import ObjectMeta


class LeaseSpec(Document):
    """Who holds a lock."""

    holder_identity: Annotated[str | None, "Who holds it."] = None
    lease_duration_seconds: Annotated[
        int | None, POSITIVE, "Seconds without renewal after which others may take it."
    ] = None
    acquire_time: Annotated[Time | None, "When it was taken."] = None
    renew_time: Annotated[Time | None, "When it was last renewed."] = None
    lease_transitions: Annotated[int | None, within(0, None), "How often it changed hands."] = None
    strategy: Annotated[str | None, "How the next holder is chosen."] = None
    preferred_holder: Annotated[str | None, "Who should take it next."] = None


class Lease(Document):
    """A lock."""

    api_version: Annotated[str, "API version of the object."] = "coordination.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "Lease"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[LeaseSpec, "What is wanted."] = LeaseSpec()


KIND = Kind(group="coordination.k8s.io", versions=("v1",), kind="Lease", plural="leases", document=Lease)
