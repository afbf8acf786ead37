"""PodDisruptionBudget: how many pods may be missing at a time. Source: Kubernetes' API reference."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from semafor.base.struct import Document
from semafor.resources import errors, selector
from semafor.resources.apps import rules
from semafor.resources.errors import FieldError
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC, IntOrString, Time, listing
from semafor.resources.meta.meta import Condition, LabelSelector, ObjectMeta


class PodDisruptionBudgetSpec(Document):
    """How many pods may be missing at a time."""

    min_available: Annotated[IntOrString | None, "How many must be there, as a number or a percentage."] = None
    selector: Annotated[LabelSelector | None, ATOMIC, "Which pods; all when empty, none when absent."] = None
    max_unavailable: Annotated[IntOrString | None, "How many may be missing; excludes minAvailable."] = None
    unhealthy_pod_eviction_policy: Annotated[
        Literal["IfHealthyBudget", "AlwaysAllow"] | None, "When pods that are not ready may be removed."
    ] = None


class PodDisruptionBudgetStatus(Document):
    """The state of a budget."""

    observed_generation: Annotated[int, "The generation of the spec that this status was made for."] = 0
    disrupted_pods: Annotated[dict[str, Time], "Pods about to be removed."] = {}
    disruptions_allowed: Annotated[int, "How many pods may be removed now."] = 0
    current_healthy: Annotated[int, "Pods that are healthy."] = 0
    desired_healthy: Annotated[int, "Pods that must be healthy."] = 0
    expected_pods: Annotated[int, "Pods that are counted."] = 0
    conditions: Annotated[
        tuple[Condition, ...], listing("type", patch_key="type"), "Aspects of the present state, told apart by type."
    ] = ()


class PodDisruptionBudget(Document):
    """How many pods may be missing at a time."""

    api_version: Annotated[str, "API version of the object."] = "policy/v1"
    kind: Annotated[str, "Kind of the object."] = "PodDisruptionBudget"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[PodDisruptionBudgetSpec, "What is wanted."] = PodDisruptionBudgetSpec()
    status: Annotated[PodDisruptionBudgetStatus, "What is."] = PodDisruptionBudgetStatus()


def validate(doc: dict[str, Any]) -> Iterator[FieldError]:
    """One of the two numbers is set."""
    spec = doc.get("spec", {})
    if "minAvailable" in spec and "maxUnavailable" in spec:
        yield errors.invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set")
    for name in ("minAvailable", "maxUnavailable"):
        if name in spec:
            yield from rules.count_or_percent(spec[name], f"spec.{name}")
    yield from selector.validate(spec.get("selector", {}), "spec.selector")


KIND = Kind(
    group="policy",
    versions=("v1",),
    kind="PodDisruptionBudget",
    plural="poddisruptionbudgets",
    short=("pdb",),
    document=PodDisruptionBudget,
    subresources=("status",),
    effect=False,
    validate=validate,
)
