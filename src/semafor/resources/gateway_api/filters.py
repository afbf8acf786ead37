"""What routes do with requests on the way. Source: the Gateway API's reference."""

from typing import Annotated, Literal

from semafor.base.struct import Document
from semafor.resources.gateway_api.references import BackendObjectReference
from semafor.resources.marks import DNS_SUBDOMAIN, SET, Port, listing, within


class HTTPHeader(Document):
    """A header."""

    name: Annotated[str, "Name of the header."]
    value: Annotated[str, "Value of the header."]


class HTTPHeaderFilter(Document):
    """Changes of headers."""

    set: Annotated[tuple[HTTPHeader, ...], listing("name"), "Headers that get this value, whatever they had."] = ()
    add: Annotated[tuple[HTTPHeader, ...], listing("name"), "Values added to headers."] = ()
    remove: Annotated[tuple[str, ...], SET, "Headers that are taken away."] = ()


class HTTPPathModifier(Document):
    """A change of the path."""

    type: Annotated[Literal["ReplaceFullPath", "ReplacePrefixMatch"], "What is changed."]
    replace_full_path: Annotated[str | None, "What the whole path becomes."] = None
    replace_prefix_match: Annotated[str | None, "What the matched prefix becomes."] = None


class HTTPRequestRedirectFilter(Document):
    """Where a redirect leads."""

    scheme: Annotated[Literal["http", "https"] | None, "New scheme."] = None
    hostname: Annotated[str | None, DNS_SUBDOMAIN, "New host."] = None
    path: Annotated[HTTPPathModifier | None, "New path."] = None
    port: Annotated[Port | None, "New port."] = None
    status_code: Annotated[int, "Status of the answer."] = 302


class HTTPURLRewriteFilter(Document):
    """What is changed before a request is sent on."""

    hostname: Annotated[str | None, DNS_SUBDOMAIN, "What the host becomes."] = None
    path: Annotated[HTTPPathModifier | None, "What the path becomes."] = None


class Fraction(Document):
    """A share."""

    numerator: Annotated[int, within(0, None), "Upper part."]
    denominator: Annotated[int, within(1, None), "Lower part; 100 when absent."] = 100


class HTTPRequestMirrorFilter(Document):
    """Where copies go."""

    backend_ref: Annotated[BackendObjectReference, "The backend; its answers are thrown away."]
    percent: Annotated[int | None, within(0, 100), "Share of the requests, in per cent; all when absent."] = None
    fraction: Annotated[Fraction | None, "Share of the requests, as a fraction."] = None


class HTTPCORSFilter(Document):
    """Cross-origin rules."""

    allow_origins: Annotated[tuple[str, ...], SET, "Origins that may call."] = ()
    allow_credentials: Annotated[bool | None, "Whether credentials may be sent."] = None
    allow_methods: Annotated[
        tuple[Literal["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "*"], ...],
        SET,
        "Methods that they may use.",
    ] = ()
    allow_headers: Annotated[tuple[str, ...], SET, "Headers that they may send."] = ()
    expose_headers: Annotated[tuple[str, ...], SET, "Headers of the response that they may read."] = ()
    max_age: Annotated[int, within(1, None), "Seconds that a browser may remember the answer."] = 5


class GRPCAuthConfig(Document):
    """Settings for asking by gRPC."""

    allowed_headers: Annotated[tuple[str, ...], SET, "Headers that are sent along."] = ()


class HTTPAuthConfig(Document):
    """Settings for asking by HTTP."""

    path: Annotated[str, "Prefix of the path."] = ""
    allowed_headers: Annotated[tuple[str, ...], SET, "Headers that are sent along."] = ()
    allowed_response_headers: Annotated[tuple[str, ...], SET, "Headers of the answer that are passed on."] = ()


class ForwardBodyConfig(Document):
    """How much of the body is sent along."""

    max_size: Annotated[int, within(0, None), "Most bytes."] = 0


class HTTPExternalAuthFilter(Document):
    """Asks somebody else whether a request is allowed."""

    protocol: Annotated[Literal["HTTP", "GRPC"], "How it is asked."]
    backend_ref: Annotated[BackendObjectReference, "Who is asked."]
    grpc: Annotated[GRPCAuthConfig | None, "Settings for gRPC."] = None
    http: Annotated[HTTPAuthConfig | None, "Settings for HTTP."] = None
    forward_body: Annotated[ForwardBodyConfig | None, "Whether the body is sent along."] = None
