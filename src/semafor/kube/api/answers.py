"""Answers: documents to HTTP responses, with warnings as headers."""

from collections.abc import Sequence
from typing import Any

import msgspec
import ryaml
from starlette.responses import Response

from semafor.kube.api import accept
from semafor.kube.api.accept import Form
from semafor.kube.api.errors import StatusError
from semafor.resources.kind import Kind

Doc = dict[str, Any]

MAX_WARNING_BYTES = 1024  # kube-apiserver's limit for one; longer ones are cut
_BARE = Form()


def document(doc: Any, *, code: int = 200, form: Form = _BARE, warnings: Sequence[str] = ()) -> Response:
    """A JSON or YAML answer."""
    if form.media_type == accept.YAML:
        text: str = ryaml.dumps(doc)
        return raw(text.encode(), code=code, media_type=accept.YAML, warnings=warnings)
    return raw(msgspec.json.encode(doc), code=code, warnings=warnings)


def raw(body: bytes, *, code: int = 200, media_type: str = accept.JSON, warnings: Sequence[str] = ()) -> Response:
    """An answer that is already encoded."""
    response = Response(body, status_code=code, media_type=media_type)
    response.headers["Cache-Control"] = "no-cache, private"
    for warning in dict.fromkeys(warnings):
        response.raw_headers.append((b"warning", _warning(warning)))
    return response


def _warning(text: str) -> bytes:
    """A Warning header's value (RFC 7234): code 299, no agent, the text quoted and on one line."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)  # a NUL would end the connection
    line = " ".join(printable.split()).encode()[:MAX_WARNING_BYTES].decode(errors="ignore")
    quoted = line.replace("\\", "\\\\").replace('"', '\\"')
    return f'299 - "{quoted}"'.encode()


def refusal(error: StatusError) -> Response:
    """The Status of a refusal, with Retry-After where the client should try again."""
    response = document(error.status, code=error.code)
    if seconds := error.details.get("retryAfterSeconds"):
        response.headers["Retry-After"] = str(seconds)
    return response


def success(kind: Kind, obj: Doc) -> Doc:
    """The Status that answers a DELETE of which nothing is left to show."""
    meta = obj["metadata"]
    details = {"name": meta["name"], "group": kind.group, "kind": kind.plural, "uid": meta["uid"]}
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {key: value for key, value in details.items() if value},
    }
