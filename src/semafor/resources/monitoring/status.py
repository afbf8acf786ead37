"""The state of Prometheus' objects. Source: the Prometheus operator's API reference."""

from typing import Annotated, Literal

from semafor.base.struct import Document
from semafor.resources.marks import Time, listing


class ConfigResourceCondition(Document):
    """One aspect of the state."""

    type: Annotated[Literal["Accepted"], "Which aspect."]
    last_transition_time: Annotated[Time, "When the status last changed."]
    status: Annotated[Literal["True", "False", "Unknown"] | None, "Whether it holds."] = None
    reason: Annotated[str, "A CamelCase word for why it is so."] = ""
    message: Annotated[str, "The same for people."] = ""
    observed_generation: Annotated[int, "The generation of the spec that this status was made for."] = 0


class WorkloadBinding(Document):
    """Who uses the object."""

    group: Annotated[Literal["monitoring.coreos.com"], "API group of the user."]
    resource: Annotated[
        Literal["prometheuses", "prometheusagents", "thanosrulers", "alertmanagers"], "Resource of the user."
    ]
    name: Annotated[str, "Name of the user."]
    namespace: Annotated[str, "Namespace of the user."]
    conditions: Annotated[
        tuple[ConfigResourceCondition, ...], listing("type"), "Aspects of the present state, told apart by type."
    ] = ()


class ConfigResourceStatus(Document):
    """The state of the object."""

    bindings: Annotated[
        tuple[WorkloadBinding, ...], listing("group", "resource", "name", "namespace"), "Who uses it."
    ] = ()
