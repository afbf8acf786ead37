"""ResourceQuota: limits for a namespace as a whole. Source: Kubernetes' API reference."""

from typing import Annotated, Literal

from semafor.base.struct import Document
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC, Resources
from semafor.resources.meta.meta import ObjectMeta


class ScopedResourceSelectorRequirement(Document):
    """One condition on what a quota counts."""

    scope_name: Annotated[
        Literal[
            "Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "PriorityClass", "CrossNamespacePodAffinity"
        ],
        "What is looked at.",
    ]
    operator: Annotated[Literal["In", "NotIn", "Exists", "DoesNotExist"], "How it relates to the values."]
    values: Annotated[tuple[str, ...], ATOMIC, "Values for In and NotIn."] = ()


class ScopeSelector(Document):
    """Which objects a quota counts."""

    match_expressions: Annotated[
        tuple[ScopedResourceSelectorRequirement, ...], ATOMIC, "Conditions; all must hold."
    ] = ()


class ResourceQuotaSpec(Document):
    """Limits for a namespace."""

    hard: Annotated[Resources, "Most that the namespace may use of each resource."] = {}
    scopes: Annotated[
        tuple[
            Literal[
                "Terminating",
                "NotTerminating",
                "BestEffort",
                "NotBestEffort",
                "PriorityClass",
                "CrossNamespacePodAffinity",
            ],
            ...,
        ],
        ATOMIC,
        "Which objects are counted.",
    ] = ()
    scope_selector: Annotated[ScopeSelector | None, ATOMIC, "Which objects are counted, by conditions."] = None


class ResourceQuotaStatus(Document):
    """The use of a quota."""

    hard: Annotated[Resources, "Limits in force."] = {}
    used: Annotated[Resources, "What is used."] = {}


class ResourceQuota(Document):
    """Limits for a namespace as a whole."""

    api_version: Annotated[str, "API version of the object."] = "v1"
    kind: Annotated[str, "Kind of the object."] = "ResourceQuota"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[ResourceQuotaSpec, "What is wanted."] = ResourceQuotaSpec()
    status: Annotated[ResourceQuotaStatus, "What is."] = ResourceQuotaStatus()


KIND = Kind(
    group="",
    versions=("v1",),
    kind="ResourceQuota",
    plural="resourcequotas",
    document=ResourceQuota,
    short=("quota",),
    subresources=("status",),
    effect=False,
)
