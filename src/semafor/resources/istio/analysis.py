"""Remarks of the analysis in an object's status. Source: Istio's API reference."""

from typing import Annotated, Literal

from semafor.base.struct import Document


class AnalysisMessageType(Document):
    """A kind of remark."""

    name: Annotated[str, "Name of the remark."] = ""
    code: Annotated[str, "Code of the remark."] = ""


class AnalysisMessageBase(Document):
    """A remark of the analysis. Its words are ours: Istio's definitions let a status hold whatever it likes."""

    type: Annotated[AnalysisMessageType | None, "What kind of remark."] = None
    level: Annotated[Literal["UNKNOWN", "ERROR", "WARNING", "INFO"], "How grave it is."] = "UNKNOWN"
    documentation_url: Annotated[str, "Where the remark is explained."] = ""
    message: Annotated[str, "The remark, with the path of the field that it is about."] = ""
    fix: Annotated[str, "What would mend it."] = ""
