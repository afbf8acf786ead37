"""The status that Istio's kinds share. Source: Istio's API reference."""

from typing import Annotated

from semafor.base.struct import Document
from semafor.resources.istio.analysis import AnalysisMessageBase
from semafor.resources.marks import Time


class IstioCondition(Document):
    """One aspect of an object's state."""

    type: Annotated[str, "Which aspect."] = ""
    status: Annotated[str, "Whether it holds: True, False or Unknown."] = ""
    last_probe_time: Annotated[Time | None, "When it was last looked at."] = None
    last_transition_time: Annotated[Time | None, "When the status last changed."] = None
    reason: Annotated[str, "A CamelCase word for why it is so."] = ""
    message: Annotated[str, "The same for people."] = ""
    observed_generation: Annotated[int, "The generation of the spec that this status was made for."] = 0


class IstioStatus(Document):
    """The state of the object."""

    conditions: Annotated[tuple[IstioCondition, ...], "Aspects of the present state, told apart by type."] = ()
    validation_messages: Annotated[tuple[AnalysisMessageBase, ...], "Remarks of the analysis."] = ()
    observed_generation: Annotated[int, "The generation of the spec that this status was made for."] = 0
