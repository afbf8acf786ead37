"""What the proxy says when it answers by itself: Envoy's response flags in words, in the body and in a header.

Envoy's own body follows, for programs that look for it.
"""

from typing import Any, Final

from semafor import ir
from semafor.envoy.pool import Pool
from semafor.envoy.render import refusals
from semafor.envoy.render.shape import Fields

HEADER: Final = "x-semafor-reason"
_MANAGER: Final = "envoy.extensions.filters.network.http_connection_manager.v3."

# The response flags that users of a mesh meet most. Each costs 3 KB in each connection manager of each sidecar, so the
# others are told in Envoy's own words.
REASONS: Final = {
    "UH": "no instance behind %UPSTREAM_CLUSTER% is ready and healthy",
    "UF": "%UPSTREAM_HOST% could not be connected to: %RESPONSE_CODE_DETAILS%",  # which tell what TLS lacks
    "UO": "more requests than the connection pool of %UPSTREAM_CLUSTER% allows",
    "NR": "no route takes the request",
    "URX": "the last of the allowed attempts failed",
    "UT": "no answer within the time-out",
    "UC": "%UPSTREAM_HOST% closed the connection before it answered",
}
_OTHERS: Final = "%RESPONSE_FLAGS_LONG% (%RESPONSE_CODE_DETAILS%)"
_BODY: Final = f"%RESP({HEADER})%\n%LOCAL_REPLY_BODY%\n"


def fields(pool: Pool, node: ir.HttpConnection) -> Fields:
    if not node.reasons:
        return {}
    return {"local_reply_config": _config(pool, node)}


def _config(pool: Pool, node: ir.HttpConnection) -> Any:
    """The first mapper that knows one of the answer's flags words it; the last one knows them all."""
    mappers = [_mapper(test, reason) for test, reason in refusals.reasons(pool, node)]
    mappers += [_with_body(_mapper(_flags(flag), f"{flag}: {reason}")) for flag, reason in REASONS.items()]
    others = _with_body(_mapper(_flags(), f"%RESPONSE_FLAGS%: {_OTHERS}"))
    return pool(_MANAGER + "LocalReplyConfig", mappers=[*mappers, others])


def _flags(*flags: str) -> Fields:
    return {"response_flag_filter": {"flags": flags}}


def _mapper(test: Fields, reason: str) -> Fields:
    header = {"header": {"key": HEADER, "value": reason}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
    return {"filter": test, "headers_to_add": [header]}


def _with_body(mapper: Fields) -> Fields:
    return mapper | {"body_format_override": {"text_format_source": {"inline_string": _BODY}}}
