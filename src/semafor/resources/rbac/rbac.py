"""Roles and their bindings. Source: Kubernetes' API reference."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from semafor.base.struct import Document
from semafor.resources import errors
from semafor.resources.defaulting import each, fill, inside
from semafor.resources.errors import FieldError
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC
from semafor.resources.meta.meta import LabelSelector, ObjectMeta


class PolicyRule(Document):
    """What may be done with what."""

    verbs: Annotated[tuple[str, ...], ATOMIC, "Verbs; `*` means all."] = ()
    api_groups: Annotated[
        tuple[str, ...], ATOMIC, "API groups of the resources; empty text is the core group, `*` means all."
    ] = ()
    resources: Annotated[tuple[str, ...], ATOMIC, "Resources, as pods or pods/log; `*` means all."] = ()
    resource_names: Annotated[tuple[str, ...], ATOMIC, "Names of objects; all when empty."] = ()
    non_resource_urls: Annotated[
        tuple[str, ...], ATOMIC, "Paths that are not resources, such as /healthz; `*` may end them."
    ] = msgspec.field(name="nonResourceURLs", default=())


class Subject(Document):
    """Somebody who gets rights."""

    kind: Annotated[str, "User, Group or ServiceAccount."]
    name: Annotated[str, "Name of the user, group or account."]
    api_group: Annotated[str, "API group of the kind."] = ""
    namespace: Annotated[str, "Namespace of the account."] = ""


class RoleRef(Document):
    """The role that is given."""

    kind: Annotated[str, "Role or ClusterRole."]
    name: Annotated[str, "Name of the role."]
    api_group: Annotated[str, "API group of the role."] = ""


class Role(Document):
    """Rights within a namespace."""

    api_version: Annotated[str, "API version of the object."] = "rbac.authorization.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "Role"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    rules: Annotated[tuple[PolicyRule, ...], ATOMIC, "The rights."] = ()


class RoleBinding(Document):
    """Gives a role to somebody within a namespace."""

    role_ref: Annotated[RoleRef, ATOMIC, "The role; it cannot be changed."]
    api_version: Annotated[str, "API version of the object."] = "rbac.authorization.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "RoleBinding"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    subjects: Annotated[tuple[Subject, ...], ATOMIC, "Who gets it."] = ()


class AggregationRule(Document):
    """Other ClusterRoles whose rights are taken over."""

    cluster_role_selectors: Annotated[tuple[LabelSelector, ...], ATOMIC, "Which ones, by their labels."] = ()


class ClusterRole(Document):
    """Rights in the whole cluster."""

    api_version: Annotated[str, "API version of the object."] = "rbac.authorization.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "ClusterRole"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    rules: Annotated[tuple[PolicyRule, ...], ATOMIC, "The rights."] = ()
    aggregation_rule: Annotated[AggregationRule | None, "Other ClusterRoles whose rights are taken over."] = None


class ClusterRoleBinding(Document):
    """Gives a ClusterRole to somebody in the whole cluster."""

    role_ref: Annotated[RoleRef, ATOMIC, "The role; it cannot be changed."]
    api_version: Annotated[str, "API version of the object."] = "rbac.authorization.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "ClusterRoleBinding"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    subjects: Annotated[tuple[Subject, ...], ATOMIC, "Who gets it."] = ()


GROUP = "rbac.authorization.k8s.io"


def binding_defaults(doc: dict[str, Any]) -> dict[str, Any]:
    """Roles, users and groups are of this API group unless they say otherwise."""
    doc = inside(doc, "roleRef", lambda ref: ref if ref.get("apiGroup") else {**ref, "apiGroup": GROUP})
    return each(
        doc, "subjects", lambda subject: subject if _is_account(subject) else fill(subject, {"apiGroup": GROUP})
    )


def _is_account(subject: dict[str, Any]) -> bool:
    return subject.get("kind") == "ServiceAccount"


def validate_role(doc: dict[str, Any]) -> Iterator[FieldError]:
    """Each rule has verbs, and resources with groups or other paths."""
    for index, rule in enumerate(doc.get("rules", ())):
        path = f"rules[{index}]"
        if not rule.get("verbs"):
            yield errors.required(f"{path}.verbs", "verbs must contain at least one value")
        if rule.get("nonResourceURLs"):
            if rule.get("resources") or rule.get("apiGroups"):
                why = "rules cannot apply to both regular resources and non-resource URLs"
                yield errors.invalid(f"{path}.nonResourceURLs", rule["nonResourceURLs"], why)
            continue
        if not rule.get("apiGroups"):
            yield errors.required(f"{path}.apiGroups", "resource rules must supply at least one api group")
        if not rule.get("resources"):
            yield errors.required(f"{path}.resources", "resource rules must supply at least one resource")


def validate_binding(doc: dict[str, Any]) -> Iterator[FieldError]:
    """The role is a Role or ClusterRole, and subjects are users, groups or service accounts."""
    allowed = ("Role", "ClusterRole") if doc.get("kind") == "RoleBinding" else ("ClusterRole",)
    if doc.get("roleRef", {}).get("kind") not in (None, "", *allowed):
        yield errors.not_supported("roleRef.kind", doc["roleRef"]["kind"], allowed)
    for index, subject in enumerate(doc.get("subjects", ())):
        path = f"subjects[{index}]"
        is_wide = doc.get("kind") != "RoleBinding"  # within a namespace an account is of that namespace unless said
        if is_wide and _is_account(subject) and not subject.get("namespace"):
            yield errors.required(f"{path}.namespace")
        if subject.get("kind") not in (None, "User", "Group", "ServiceAccount"):
            yield errors.not_supported(f"{path}.kind", subject["kind"], ("Group", "ServiceAccount", "User"))


ROLE = Kind(
    group=GROUP,
    versions=("v1",),
    kind="Role",
    plural="roles",
    document=Role,
    name_rule="path-segment",
    validate=validate_role,
)

CLUSTER_ROLE = Kind(
    group=GROUP,
    versions=("v1",),
    kind="ClusterRole",
    plural="clusterroles",
    document=ClusterRole,
    namespaced=False,
    name_rule="path-segment",
    validate=validate_role,
)

ROLE_BINDING = Kind(
    group=GROUP,
    versions=("v1",),
    kind="RoleBinding",
    plural="rolebindings",
    document=RoleBinding,
    name_rule="path-segment",
    defaults=binding_defaults,
    validate=validate_binding,
)

CLUSTER_ROLE_BINDING = Kind(
    group=GROUP,
    versions=("v1",),
    kind="ClusterRoleBinding",
    plural="clusterrolebindings",
    document=ClusterRoleBinding,
    namespaced=False,
    name_rule="path-segment",
    defaults=binding_defaults,
    validate=validate_binding,
)
