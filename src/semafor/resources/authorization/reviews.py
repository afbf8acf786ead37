"""Questions about what somebody may do. Source: Kubernetes' API reference."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from semafor.base.struct import Document
from semafor.resources import errors
from semafor.resources.errors import FieldError
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC
from semafor.resources.meta.meta import FieldSelectorRequirement, LabelSelectorRequirement, ObjectMeta


class FieldSelectorAttributes(Document):
    """A limit by fields."""

    raw_selector: Annotated[str, "The selector as in the request."] = ""
    requirements: Annotated[tuple[FieldSelectorRequirement, ...], ATOMIC, "The selector, taken apart."] = ()


class LabelSelectorAttributes(Document):
    """A limit by labels."""

    raw_selector: Annotated[str, "The selector as in the request."] = ""
    requirements: Annotated[tuple[LabelSelectorRequirement, ...], ATOMIC, "The selector, taken apart."] = ()


class ResourceAttributes(Document):
    """A request for a resource."""

    namespace: Annotated[str, "Namespace; empty means all, or none for cluster-scoped kinds."] = ""
    verb: Annotated[str, "What is to be done; `*` means all."] = ""
    group: Annotated[str, "API group; `*` means all."] = ""
    version: Annotated[str, "API version; `*` means all."] = ""
    resource: Annotated[str, "The resource; `*` means all."] = ""
    subresource: Annotated[str, "The subresource, if there is one."] = ""
    name: Annotated[str, "Name of the object; empty means all."] = ""
    field_selector: Annotated[FieldSelectorAttributes | None, "Objects that the request is limited to, by fields."] = (
        None
    )
    label_selector: Annotated[LabelSelectorAttributes | None, "Objects that the request is limited to, by labels."] = (
        None
    )


class NonResourceAttributes(Document):
    """A request for something that is not a resource."""

    path: Annotated[str, "The path."] = ""
    verb: Annotated[str, "What is to be done."] = ""


class SubjectAccessReviewSpec(Document):
    """Who wants to do what."""

    resource_attributes: Annotated[ResourceAttributes | None, "A request for a resource."] = None
    non_resource_attributes: Annotated[NonResourceAttributes | None, "A request for something else."] = None
    user: Annotated[str, "Name of the user."] = ""
    groups: Annotated[tuple[str, ...], ATOMIC, "Groups of the user."] = ()
    extra: Annotated[dict[str, tuple[str, ...]], "Further facts about the user."] = {}
    uid: Annotated[str, "UID of the user."] = ""


class SubjectAccessReviewStatus(Document):
    """The answer."""

    allowed: Annotated[bool, "Whether it is allowed."] = False
    denied: Annotated[bool, "Whether it is forbidden, whatever else allows it."] = False
    reason: Annotated[str, "Why."] = ""
    evaluation_error: Annotated[str, "What went wrong on the way to the answer."] = ""


class SubjectAccessReview(Document):
    """Asks whether somebody may do something."""

    api_version: Annotated[str, "API version of the object."] = "authorization.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "SubjectAccessReview"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[SubjectAccessReviewSpec, "What is wanted."] = SubjectAccessReviewSpec()
    status: Annotated[SubjectAccessReviewStatus, "The answer."] = SubjectAccessReviewStatus()


class SelfSubjectAccessReviewSpec(Document):
    """What oneself wants to do."""

    resource_attributes: Annotated[ResourceAttributes | None, "A request for a resource."] = None
    non_resource_attributes: Annotated[NonResourceAttributes | None, "A request for something else."] = None


class SelfSubjectAccessReview(Document):
    """Asks whether oneself may do something."""

    api_version: Annotated[str, "API version of the object."] = "authorization.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "SelfSubjectAccessReview"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[SelfSubjectAccessReviewSpec, "What is wanted."] = SelfSubjectAccessReviewSpec()
    status: Annotated[SubjectAccessReviewStatus, "The answer."] = SubjectAccessReviewStatus()


class LocalSubjectAccessReview(Document):
    """Asks whether somebody may do something in a namespace."""

    api_version: Annotated[str, "API version of the object."] = "authorization.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "LocalSubjectAccessReview"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[SubjectAccessReviewSpec, "What is wanted."] = SubjectAccessReviewSpec()
    status: Annotated[SubjectAccessReviewStatus, "The answer."] = SubjectAccessReviewStatus()


class SelfSubjectRulesReviewSpec(Document):
    """Where oneself wants to do something."""

    namespace: Annotated[str, "The namespace."] = ""


class ResourceRule(Document):
    """What may be done with resources."""

    verbs: Annotated[tuple[str, ...], ATOMIC, "Verbs; `*` means all."] = ()
    api_groups: Annotated[tuple[str, ...], ATOMIC, "API groups; `*` means all."] = ()
    resources: Annotated[tuple[str, ...], ATOMIC, "Resources; `*` means all."] = ()
    resource_names: Annotated[tuple[str, ...], ATOMIC, "Names of objects; all when empty."] = ()


class NonResourceRule(Document):
    """What may be done with other paths."""

    verbs: Annotated[tuple[str, ...], ATOMIC, "Verbs; `*` means all."] = ()
    non_resource_urls: Annotated[tuple[str, ...], ATOMIC, "Paths; `*` may end them."] = msgspec.field(
        name="nonResourceURLs", default=()
    )


class SubjectRulesReviewStatus(Document):
    """The rights."""

    resource_rules: Annotated[tuple[ResourceRule, ...], ATOMIC, "What may be done with resources."] = ()
    non_resource_rules: Annotated[tuple[NonResourceRule, ...], ATOMIC, "What may be done with other paths."] = ()
    incomplete: Annotated[bool, "Whether there may be more rights than these."] = False
    evaluation_error: Annotated[str, "What went wrong on the way to the answer."] = ""


class SelfSubjectRulesReview(Document):
    """Asks what oneself may do in a namespace."""

    api_version: Annotated[str, "API version of the object."] = "authorization.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "SelfSubjectRulesReview"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[SelfSubjectRulesReviewSpec, "What is wanted."] = SelfSubjectRulesReviewSpec()
    status: Annotated[SubjectRulesReviewStatus, "The answer."] = SubjectRulesReviewStatus()


GROUP = "authorization.k8s.io"


def validate_self(doc: dict[str, Any]) -> Iterator[FieldError]:
    """Exactly one kind of request is asked about."""
    spec = doc.get("spec", {})
    present = [name for name in ("resourceAttributes", "nonResourceAttributes") if name in spec]
    if len(present) != 1:
        why = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        yield errors.invalid("spec.resourceAttributes", present, why)


def validate_other(doc: dict[str, Any]) -> Iterator[FieldError]:
    """The same, and it is said who asks."""
    yield from validate_self(doc)
    spec = doc.get("spec", {})
    if not spec.get("user") and not spec.get("groups"):
        yield errors.invalid("spec.user", "", "at least one of user or group must be specified")


SUBJECT = Kind(
    group=GROUP,
    versions=("v1",),
    kind="SubjectAccessReview",
    plural="subjectaccessreviews",
    document=SubjectAccessReview,
    namespaced=False,
    virtual=True,
    validate=validate_other,
)

SELF = Kind(
    group=GROUP,
    versions=("v1",),
    kind="SelfSubjectAccessReview",
    plural="selfsubjectaccessreviews",
    document=SelfSubjectAccessReview,
    namespaced=False,
    virtual=True,
    validate=validate_self,
)

LOCAL = Kind(
    group=GROUP,
    versions=("v1",),
    kind="LocalSubjectAccessReview",
    plural="localsubjectaccessreviews",
    document=LocalSubjectAccessReview,
    virtual=True,
    validate=validate_other,
)

RULES = Kind(
    group=GROUP,
    versions=("v1",),
    kind="SelfSubjectRulesReview",
    plural="selfsubjectrulesreviews",
    document=SelfSubjectRulesReview,
    namespaced=False,
    virtual=True,
)
