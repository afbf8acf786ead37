"""Questions about who somebody is. Source: Kubernetes' API reference."""

from typing import Annotated, Any

from semafor.base.struct import Document
from semafor.resources.defaulting import fill
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC, Time, within
from semafor.resources.meta.meta import ObjectMeta


class TokenReviewSpec(Document):
    """The token in question."""

    token: Annotated[str, "The token."] = ""
    audiences: Annotated[
        tuple[str, ...], ATOMIC, "Audiences, one of which it must be for; the API server when empty."
    ] = ()


class UserInfo(Document):
    """A user."""

    username: Annotated[str, "Name of the user."] = ""
    uid: Annotated[str, "UID of the user."] = ""
    groups: Annotated[tuple[str, ...], ATOMIC, "Groups of the user."] = ()
    extra: Annotated[dict[str, tuple[str, ...]], "Further facts about the user."] = {}


class TokenReviewStatus(Document):
    """The answer."""

    authenticated: Annotated[bool, "Whether the token is good."] = False
    user: Annotated[UserInfo, "Whose it is."] = UserInfo()
    audiences: Annotated[tuple[str, ...], ATOMIC, "Audiences that it is for, out of those asked for."] = ()
    error: Annotated[str, "Why it is not good."] = ""


class TokenReview(Document):
    """Asks whether a token is good, and whose it is."""

    api_version: Annotated[str, "API version of the object."] = "authentication.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "TokenReview"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[TokenReviewSpec, "What is wanted."] = TokenReviewSpec()
    status: Annotated[TokenReviewStatus, "The answer."] = TokenReviewStatus()


class BoundObjectReference(Document):
    """The object whose end is the token's end."""

    kind: Annotated[str, "Kind of the object: Pod or Secret."] = ""
    api_version: Annotated[str, "API version of the object."] = ""
    name: Annotated[str, "Name of the object."] = ""
    uid: Annotated[str, "UID of the object."] = ""


class TokenRequestSpec(Document):
    """The token that is wanted."""

    audiences: Annotated[tuple[str, ...], ATOMIC, "Audiences that it is for; the API server when empty."] = ()
    expiration_seconds: Annotated[int | None, within(600, 2**32), "Seconds that it is valid; 3600 when absent."] = None
    bound_object_ref: Annotated[BoundObjectReference | None, "Object whose end is the token's end."] = None


class TokenRequestStatus(Document):
    """The token."""

    token: Annotated[str, "The token."] = ""
    expiration_timestamp: Annotated[Time | None, "When it expires."] = None


class TokenRequest(Document):
    """Asks for a token of a service account."""

    api_version: Annotated[str, "API version of the object."] = "authentication.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "TokenRequest"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[TokenRequestSpec, "What is wanted."] = TokenRequestSpec()
    status: Annotated[TokenRequestStatus, "The token."] = TokenRequestStatus()


class SelfSubjectReviewStatus(Document):
    """The answer."""

    user_info: Annotated[UserInfo, "Who oneself is."] = UserInfo()


class SelfSubjectReview(Document):
    """Asks who oneself is."""

    api_version: Annotated[str, "API version of the object."] = "authentication.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "SelfSubjectReview"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    status: Annotated[SelfSubjectReviewStatus, "The answer."] = SelfSubjectReviewStatus()


GROUP = "authentication.k8s.io"


def token_request_defaults(doc: dict[str, Any]) -> dict[str, Any]:
    """A token is valid for an hour."""
    return {**doc, "spec": fill(doc.get("spec", {}), {"expirationSeconds": 3600})}


TOKEN_REVIEW = Kind(
    group=GROUP,
    versions=("v1",),
    kind="TokenReview",
    plural="tokenreviews",
    document=TokenReview,
    namespaced=False,
    virtual=True,
)

SELF = Kind(
    group=GROUP,
    versions=("v1",),
    kind="SelfSubjectReview",
    plural="selfsubjectreviews",
    document=SelfSubjectReview,
    namespaced=False,
    virtual=True,
)

# Answered under serviceaccounts/NAME/token; it has no collection of its own.
TOKEN_REQUEST = Kind(
    group=GROUP,
    versions=("v1",),
    kind="TokenRequest",
    plural="tokenrequests",
    document=TokenRequest,
    virtual=True,
    defaults=token_request_defaults,
)
