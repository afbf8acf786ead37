"""ServiceAccount: an identity for the processes in a pod. Source: Kubernetes' API reference."""

from typing import Annotated

from semafor.base.struct import Document
from semafor.resources.core.refs import LocalObjectReference, ObjectReference
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC, listing
from semafor.resources.meta.meta import ObjectMeta


class ServiceAccount(Document):
    """An identity for the processes in pods."""

    api_version: Annotated[str, "API version of the object."] = "v1"
    kind: Annotated[str, "Kind of the object."] = "ServiceAccount"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    secrets: Annotated[
        tuple[ObjectReference, ...], listing("name", patch_key="name"), "Secrets that its pods may use."
    ] = ()
    image_pull_secrets: Annotated[
        tuple[LocalObjectReference, ...], ATOMIC, "Secrets with credentials for images, given to its pods."
    ] = ()
    automount_service_account_token: Annotated[
        bool | None, "Whether its pods get a token mounted; a pod can say otherwise."
    ] = None


KIND = Kind(
    group="",
    versions=("v1",),
    kind="ServiceAccount",
    plural="serviceaccounts",
    document=ServiceAccount,
    short=("sa",),
    subresources=("token",),
)
