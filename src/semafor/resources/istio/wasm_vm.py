"""The virtual machine of a WebAssembly program. Source: Istio's API reference."""

from typing import Annotated, Literal

from semafor.base.struct import Document
from semafor.resources.marks import ENV_NAME, listing


class EnvVar(Document):
    """An environment variable."""

    name: Annotated[str, ENV_NAME, "Name of the variable."]
    value_from: Annotated[Literal["INLINE", "HOST"], "Whether the value is given here or is the proxy's own."] = (
        "INLINE"
    )
    value: Annotated[str, "The value, for INLINE."] = ""


class VmConfig(Document):
    """Settings of a virtual machine."""

    env: Annotated[tuple[EnvVar, ...], listing("name"), "Environment variables."] = ()
