"""PeerAuthentication: whether connections into pods must be mutual TLS. Source: Istio's API reference."""

from typing import Annotated, Literal

from semafor.base.struct import Document
from semafor.resources.istio import security_rules
from semafor.resources.istio.common import WorkloadSelector
from semafor.resources.istio.status import IstioStatus
from semafor.resources.kind import AGE, Column, Kind
from semafor.resources.meta.meta import ObjectMeta


class MutualTLS(Document):
    """Whether connections must be mutual TLS."""

    mode: Annotated[
        Literal["UNSET", "DISABLE", "PERMISSIVE", "STRICT"],
        "UNSET inherits, DISABLE is plain text, PERMISSIVE takes both, STRICT takes only mutual TLS.",
    ] = "UNSET"


class PeerAuthenticationSpec(Document):
    """Whether connections into pods must be mutual TLS."""

    selector: Annotated[WorkloadSelector | None, "Pods that it is for; all of the namespace when absent."] = None
    mtls: Annotated[MutualTLS | None, "The rule for all ports."] = None
    port_level_mtls: Annotated[dict[str, MutualTLS], "The rule for single ports, by number; needs a selector."] = {}


class PeerAuthentication(Document):
    """Whether connections into pods must be mutual TLS."""

    api_version: Annotated[str, "API version of the object."] = "security.istio.io/v1"
    kind: Annotated[str, "Kind of the object."] = "PeerAuthentication"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[PeerAuthenticationSpec, "What is wanted."] = PeerAuthenticationSpec()
    status: Annotated[IstioStatus, "What is."] = IstioStatus()


KIND = Kind(
    group="security.istio.io",
    versions=(
        "v1",
        "v1beta1",
    ),
    kind="PeerAuthentication",
    plural="peerauthentications",
    short=("pa",),
    categories=("istio-io", "security-istio-io"),
    document=PeerAuthentication,
    columns=(
        Column(name="Mode", type="string", path=".spec.mtls.mode", description="The rule for all ports."),
        AGE,
    ),
    subresources=("status",),
    custom=True,
    validate=security_rules.peer_authentication,
)
