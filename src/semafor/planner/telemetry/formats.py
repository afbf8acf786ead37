"""Formats of log entries: Istio's defaults, and whether one that a user wrote is one that Envoy takes.

Source: Istio's task "Envoy Access Logs"; Envoy's reference of access log formats.
"""

import json
import re
from typing import Final

from semafor.planner.telemetry import cel

Fields = tuple[tuple[str, str], ...]

_REQUEST: Final = '"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%"'
_FIELDS: Final[Fields] = (
    ("authority", "%REQ(:AUTHORITY)%"),
    ("bytes_received", "%BYTES_RECEIVED%"),
    ("bytes_sent", "%BYTES_SENT%"),
    ("connection_termination_details", "%CONNECTION_TERMINATION_DETAILS%"),
    ("downstream_local_address", "%DOWNSTREAM_LOCAL_ADDRESS%"),
    ("downstream_remote_address", "%DOWNSTREAM_REMOTE_ADDRESS%"),
    ("duration", "%DURATION%"),
    ("method", "%REQ(:METHOD)%"),
    ("path", "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%"),
    ("protocol", "%PROTOCOL%"),
    ("request_id", "%REQ(X-REQUEST-ID)%"),
    ("requested_server_name", "%REQUESTED_SERVER_NAME%"),
    ("response_code", "%RESPONSE_CODE%"),
    ("response_code_details", "%RESPONSE_CODE_DETAILS%"),
    ("response_flags", "%RESPONSE_FLAGS%"),
    ("route_name", "%ROUTE_NAME%"),
    ("start_time", "%START_TIME%"),
    ("upstream_cluster", "%UPSTREAM_CLUSTER_RAW%"),
    ("upstream_host", "%UPSTREAM_HOST%"),
    ("upstream_local_address", "%UPSTREAM_LOCAL_ADDRESS%"),
    ("upstream_service_time", "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%"),
    ("upstream_transport_failure_reason", "%UPSTREAM_TRANSPORT_FAILURE_REASON%"),
    ("user_agent", "%REQ(USER-AGENT)%"),
    ("x_forwarded_for", "%REQ(X-FORWARDED-FOR)%"),
)
_OF = dict(_FIELDS)
_TEXT: Final = (
    "[{start_time}]", _REQUEST, "{response_code}", "{response_flags}", "{response_code_details}",
    "{connection_termination_details}", '"{upstream_transport_failure_reason}"', "{bytes_received}", "{bytes_sent}",
    "{duration}", "{upstream_service_time}", '"{x_forwarded_for}"', '"{user_agent}"', '"{request_id}"',
    '"{authority}"', '"{upstream_host}"', "{upstream_cluster}", "{upstream_local_address}",
    "{downstream_local_address}", "{downstream_remote_address}", "{requested_server_name}", "{route_name}",
)  # fmt: skip
JSON: Final = _FIELDS
TEXT: Final = " ".join(part.format(**_OF) for part in _TEXT) + "\n"

_COMMAND: Final = re.compile(r"%%|%(?P<name>[A-Z][A-Z0-9_]*)(?P<argument>\((?P<inner>.*?)\))?(?::(?P<limit>\d+))?%")
_WITH_ARGUMENT: Final = frozenset(
    (
        "REQ", "RESP", "TRAILER", "DYNAMIC_METADATA", "CLUSTER_METADATA", "UPSTREAM_METADATA", "METADATA",
        "FILTER_STATE", "UPSTREAM_FILTER_STATE", "ENVIRONMENT", "CEL", "TYPED_CEL", "COALESCE", "QUERY_PARAM",
        "REQ_WITHOUT_QUERY", "COMMON_DURATION", "REQUEST_HEADER", "RESPONSE_HEADER", "RESPONSE_TRAILER",
    )
)  # fmt: skip
ALONE: Final = frozenset(
    (
        "START_TIME", "START_TIME_LOCAL", "EMIT_TIME", "EMIT_TIME_LOCAL", "PROTOCOL", "RESPONSE_CODE", "PATH",
        "RESPONSE_CODE_DETAILS", "RESPONSE_FLAGS", "RESPONSE_FLAGS_LONG", "ROUTE_NAME", "DURATION", "BYTES_RECEIVED",
        "BYTES_SENT", "CONNECTION_TERMINATION_DETAILS", "UPSTREAM_TRANSPORT_FAILURE_REASON", "UPSTREAM_HOST",
        "UPSTREAM_HOST_NAME", "UPSTREAM_HOST_NAME_WITHOUT_PORT", "UPSTREAM_CLUSTER", "UPSTREAM_CLUSTER_RAW",
        "UPSTREAM_LOCAL_ADDRESS", "UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", "UPSTREAM_LOCAL_PORT",
        "UPSTREAM_REMOTE_ADDRESS", "UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", "UPSTREAM_REMOTE_PORT",
        "UPSTREAM_PROTOCOL", "UPSTREAM_CONNECTION_ID", "UPSTREAM_REQUEST_ATTEMPT_COUNT", "UPSTREAM_TLS_CIPHER",
        "UPSTREAM_TLS_VERSION", "UPSTREAM_PEER_SUBJECT", "UPSTREAM_PEER_URI_SAN", "UPSTREAM_LOCAL_URI_SAN",
        "UPSTREAM_PEER_CERT", "UPSTREAM_CONNECTION_POOL_READY_DURATION", "UPSTREAM_WIRE_BYTES_RECEIVED",
        "UPSTREAM_WIRE_BYTES_SENT", "UPSTREAM_HEADER_BYTES_RECEIVED", "UPSTREAM_HEADER_BYTES_SENT",
        "DOWNSTREAM_REMOTE_ADDRESS", "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", "DOWNSTREAM_REMOTE_PORT",
        "DOWNSTREAM_DIRECT_REMOTE_ADDRESS", "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT",
        "DOWNSTREAM_LOCAL_ADDRESS", "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", "DOWNSTREAM_LOCAL_PORT",
        "DOWNSTREAM_PEER_SUBJECT", "DOWNSTREAM_PEER_ISSUER", "DOWNSTREAM_PEER_URI_SAN", "DOWNSTREAM_LOCAL_URI_SAN",
        "DOWNSTREAM_PEER_DNS_SAN", "DOWNSTREAM_PEER_SERIAL", "DOWNSTREAM_PEER_FINGERPRINT_256",
        "DOWNSTREAM_PEER_CERT_V_START", "DOWNSTREAM_PEER_CERT_V_END", "DOWNSTREAM_TLS_CIPHER", "DOWNSTREAM_TLS_VERSION",
        "DOWNSTREAM_TLS_SESSION_ID", "DOWNSTREAM_TRANSPORT_FAILURE_REASON", "DOWNSTREAM_WIRE_BYTES_RECEIVED",
        "DOWNSTREAM_WIRE_BYTES_SENT", "DOWNSTREAM_HEADER_BYTES_RECEIVED", "DOWNSTREAM_HEADER_BYTES_SENT",
        "DOWNSTREAM_HANDSHAKE_DURATION", "ROUNDTRIP_DURATION", "REQUEST_DURATION", "REQUEST_TX_DURATION",
        "RESPONSE_DURATION", "RESPONSE_TX_DURATION", "CONNECTION_ID", "REQUESTED_SERVER_NAME", "HOSTNAME",
        "FILTER_CHAIN_NAME", "VIRTUAL_CLUSTER_NAME", "GRPC_STATUS", "GRPC_STATUS_NUMBER", "ACCESS_LOG_TYPE",
        "STREAM_ID", "UNIQUE_ID", "TRACE_ID", "SPAN_ID", "REQUEST_HEADERS_BYTES", "RESPONSE_HEADERS_BYTES",
        "RESPONSE_TRAILERS_BYTES", "LOCAL_REPLY_BODY",
    )
)  # fmt: skip
_WITH_OR_WITHOUT: Final = frozenset(
    (
        "START_TIME", "START_TIME_LOCAL", "EMIT_TIME", "EMIT_TIME_LOCAL", "DOWNSTREAM_PEER_CERT_V_START",
        "DOWNSTREAM_PEER_CERT_V_END", "GRPC_STATUS", "PATH",
    )
)  # fmt: skip


class Wrong(ValueError):  # noqa: N818 - named for what the text is
    """Envoy would not take the format; the message says why."""


def line(text: str) -> str:
    """A format of lines that Envoy takes, with its end of line; Istio's default for no text. Raises Wrong."""
    check(text)
    return (text if text.endswith("\n") else text + "\n") if text else TEXT


def fields(text: str) -> Fields:
    """The fields of a JSON object of formats; Istio's default where the text is none."""
    try:
        found = json.loads(text) if text else None
    except ValueError:
        found = None
    return tuple(sorted((str(name), str(value)) for name, value in found.items())) if isinstance(found, dict) else JSON


def check(text: str) -> None:
    """Raise Wrong when Envoy would not take the format."""
    rest = _COMMAND.sub(_checked, text)
    if "%" in rest:
        raise Wrong(f"{rest[rest.index('%') :][:30]!r} is no command; a per cent sign itself is written %%")


def _checked(found: re.Match[str]) -> str:
    name, argument = found["name"], found["argument"]
    if name is None:
        return ""
    if name not in _WITH_ARGUMENT | ALONE:
        raise Wrong(f"%{name}% is no command that Envoy knows")
    if name in _WITH_ARGUMENT and not found["inner"]:
        raise Wrong(f"%{name}% wants an argument, %{name}(...)%")
    if name in ALONE - _WITH_OR_WITHOUT and argument is not None:
        raise Wrong(f"%{name}% takes no argument")
    if name in ("CEL", "TYPED_CEL"):
        cel.check(found["inner"])
    return ""
