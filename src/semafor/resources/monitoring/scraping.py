"""How Prometheus scrapes a target. Source: the Prometheus operator's API reference."""

from typing import Annotated, Literal

from semafor.base.struct import Document
from semafor.resources.core.refs import ConfigMapKeySelector, SecretKeySelector
from semafor.resources.marks import ATOMIC, Labels


class SecretOrConfigMap(Document):
    """A key of a Secret or a ConfigMap."""

    secret: Annotated[SecretKeySelector | None, ATOMIC, "Key of a Secret."] = None
    config_map: Annotated[ConfigMapKeySelector | None, ATOMIC, "Key of a ConfigMap."] = None


class SafeTLSConfig(Document):
    """How the connection is secured, without files of Prometheus' own machine."""

    ca: Annotated[SecretOrConfigMap, "Authorities that the server's certificate is checked against."] = (
        SecretOrConfigMap()
    )
    cert: Annotated[SecretOrConfigMap, "Client's certificate."] = SecretOrConfigMap()
    key_secret: Annotated[SecretKeySelector | None, ATOMIC, "Secret with the client's key."] = None
    server_name: Annotated[str | None, "Name that the server's certificate must have."] = None
    insecure_skip_verify: Annotated[bool | None, "Whether the server's certificate is taken unchecked."] = None
    min_version: Annotated[Literal["TLS10", "TLS11", "TLS12", "TLS13"] | None, "Oldest version of TLS."] = None
    max_version: Annotated[Literal["TLS10", "TLS11", "TLS12", "TLS13"] | None, "Newest version of TLS."] = None


class TLSConfig(SafeTLSConfig):
    """How the connection is secured."""

    ca_file: Annotated[str, "File with the authorities."] = ""
    cert_file: Annotated[str, "File with the client's certificate."] = ""
    key_file: Annotated[str, "File with the client's key."] = ""


class BasicAuth(Document):
    """A name and a password."""

    username: Annotated[SecretKeySelector | None, ATOMIC, "Secret with the name."] = None
    password: Annotated[SecretKeySelector | None, ATOMIC, "Secret with the password."] = None


class OAuth2(Document, frozen=True):
    """A token from an OAuth server."""

    client_id: Annotated[SecretOrConfigMap, "The client's id."]
    client_secret: Annotated[SecretKeySelector, ATOMIC, "Secret with the client's secret."]
    token_url: Annotated[str, "Where the token comes from."]
    scopes: Annotated[tuple[str, ...], ATOMIC, "Scopes of the token."] = ()
    endpoint_params: Annotated[Labels, "Further parameters of the request."] = {}
    tls_config: Annotated[SafeTLSConfig | None, "How the connection to the server is secured."] = None
    proxy_url: Annotated[str | None, "Proxy to use."] = None
    no_proxy: Annotated[str | None, "Hosts that are called without the proxy."] = None
    proxy_from_environment: Annotated[bool | None, "Whether the proxy comes from the environment."] = None
    proxy_connect_header: Annotated[dict[str, tuple[SecretKeySelector, ...]], "Headers for the proxy."] = {}


class SafeAuthorization(Document):
    """An Authorization header."""

    type: Annotated[str, "Type of the header; Bearer when absent."] = ""
    credentials: Annotated[SecretKeySelector | None, ATOMIC, "Secret with the credentials."] = None


class RelabelConfig(Document):
    """A change of labels."""

    source_labels: Annotated[tuple[str, ...], ATOMIC, "Labels whose values are joined."] = ()
    separator: Annotated[str | None, "What stands between the values; `;` when absent."] = None
    target_label: Annotated[str, "Label that is set."] = ""
    regex: Annotated[str, "Regular expression for the joined values."] = ""
    modulus: Annotated[int, "What a hash of the values is taken modulo of."] = 0
    replacement: Annotated[str | None, "What the label is set to."] = None
    action: Annotated[
        Literal[
            "replace",
            "Replace",
            "keep",
            "Keep",
            "drop",
            "Drop",
            "hashmod",
            "HashMod",
            "labelmap",
            "LabelMap",
            "labeldrop",
            "LabelDrop",
            "labelkeep",
            "LabelKeep",
            "lowercase",
            "Lowercase",
            "uppercase",
            "Uppercase",
            "keepequal",
            "KeepEqual",
            "dropequal",
            "DropEqual",
        ],
        "What is done; replace when absent.",
    ] = "replace"


class NamespaceSelector(Document):
    """Which namespaces are meant; the object's own when empty."""

    any: Annotated[bool, "Whether all are meant."] = False
    match_names: Annotated[tuple[str, ...], ATOMIC, "Names of namespaces."] = ()


class AttachMetadata(Document):
    """What is added to the targets."""

    node: Annotated[bool | None, "Whether the node's labels are."] = None
