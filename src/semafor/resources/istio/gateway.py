"""Gateway: ports at the edge of the mesh. Source: Istio's API reference."""

from typing import Annotated, Literal

from semafor.base.struct import Document
from semafor.resources.istio import gateway_rules
from semafor.resources.istio.status import IstioStatus
from semafor.resources.kind import AGE, LIVE, Kind
from semafor.resources.marks import Labels, within
from semafor.resources.meta.meta import ObjectMeta


class ServerPort(Document):
    """A port of a gateway."""

    number: Annotated[int, within(0, 65535), "Number of the port; 0 only with a unix:// path to bind."]
    protocol: Annotated[str, "Protocol: HTTP, HTTPS, GRPC, HTTP2, MONGO, TCP or TLS."]
    name: Annotated[str, "Name of the port."]
    target_port: Annotated[int, "Not in effect."] = 0


class TLSCertificate(Document):
    """The files of a certificate."""

    server_certificate: Annotated[str, "File with the certificate."] = ""
    private_key: Annotated[str, "File with the key."] = ""
    ca_certificates: Annotated[str, "Not in effect."] = ""


class ServerTLSSettings(Document):
    """How incoming connections are secured."""

    https_redirect: Annotated[bool, "Whether plain HTTP is redirected to HTTPS."] = False
    mode: Annotated[
        Literal["PASSTHROUGH", "SIMPLE", "MUTUAL", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL", "OPTIONAL_MUTUAL"],
        "Who shows a certificate, or whether TLS is passed through.",
    ] = "PASSTHROUGH"
    server_certificate: Annotated[str, "File with the server's certificate."] = ""
    private_key: Annotated[str, "File with the server's key."] = ""
    ca_certificates: Annotated[str, "File with the authorities that clients are checked against."] = ""
    ca_crl: Annotated[str, "File with revoked certificates."] = ""
    credential_name: Annotated[str, "Secret with key and certificate, for clients too when it has authorities."] = ""
    credential_names: Annotated[tuple[str, ...], "Secrets for several certificates of different kinds of keys."] = ()
    ca_cert_credential_name: Annotated[
        str, "Secret or ConfigMap with the authorities that clients are checked against."
    ] = ""
    tls_certificates: Annotated[
        tuple[TLSCertificate, ...], "Files of several certificates of different kinds of keys."
    ] = ()
    subject_alt_names: Annotated[tuple[str, ...], "Names that a client's certificate may have."] = ()
    verify_certificate_spki: Annotated[tuple[str, ...], "Hashes of clients' public keys that are allowed."] = ()
    verify_certificate_hash: Annotated[tuple[str, ...], "Hashes of clients' certificates that are allowed."] = ()
    min_protocol_version: Annotated[
        Literal["TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3"], "Oldest version of TLS that is allowed."
    ] = "TLS_AUTO"
    max_protocol_version: Annotated[
        Literal["TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3"], "Newest version of TLS that is allowed."
    ] = "TLS_AUTO"
    cipher_suites: Annotated[tuple[str, ...], "Ciphers that are allowed; Envoy's own list when empty."] = ()
    insecure_skip_verify: Annotated[bool | None, "Whether a client's certificate is taken unchecked."] = None


class Server(Document):
    """A port and the hosts that it serves."""

    port: Annotated[ServerPort, "The port."]
    hosts: Annotated[
        tuple[str, ...], "Hosts that are served, perhaps as namespace/host, perhaps with a wildcard at the front."
    ]
    bind: Annotated[str, "Address that it listens on."] = ""
    tls: Annotated[ServerTLSSettings | None, "How connections are secured."] = None
    default_endpoint: Annotated[str, "Not in effect."] = ""
    name: Annotated[str, "Name of the server, for logs and statistics."] = ""


class GatewaySpec(Document):
    """Ports at the edge of the mesh."""

    servers: Annotated[tuple[Server, ...], "The ports and hosts that are served."] = ()
    selector: Annotated[Labels, "Labels of the pods that serve them."] = {}


class Gateway(Document):
    """Ports at the edge of the mesh."""

    api_version: Annotated[str, "API version of the object."] = "networking.istio.io/v1"
    kind: Annotated[str, "Kind of the object."] = "Gateway"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[GatewaySpec, "What is wanted."] = GatewaySpec()
    status: Annotated[IstioStatus, "What is."] = IstioStatus()


KIND = Kind(
    group="networking.istio.io",
    versions=(
        "v1",
        "v1beta1",
        "v1alpha3",
    ),
    kind="Gateway",
    plural="gateways",
    short=("gw",),
    categories=("istio-io", "networking-istio-io"),
    document=Gateway,
    columns=(LIVE, AGE),
    subresources=("status",),
    custom=True,
    effect=True,
    validate=gateway_rules.validate,
    remarks=gateway_rules.remarks,
)
