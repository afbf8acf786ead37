"""Reading a request's body, within limits."""

from typing import Any

from starlette.requests import ClientDisconnect, Request

from semafor.base import aio
from semafor.kube.api import bodies, documents, errors
from semafor.kube.api.bodies import Body
from semafor.kube.api.call import Call

Doc = dict[str, Any]


async def read_body(request: Request) -> bytes:
    """The whole body. Raises StatusError 413 as soon as it is too large."""
    try:
        return await aio.joined(request.stream(), bodies.MAX_BYTES)
    except aio.TooLargeError:
        raise errors.too_large(bodies.MAX_BYTES) from None
    except ClientDisconnect:
        raise errors.bad_request("the client went away before the whole body had come") from None


async def read_object(request: Request, about: Call) -> tuple[Doc, tuple[str, ...]]:
    """The document in the body, and warnings of keys that are given twice. Raises StatusError."""
    content_type = bodies.media_type(request.headers.get("content-type", ""))
    decoded = bodies.decode(content_type, await read_body(request))
    return bodies.as_object(decoded), duplicates(about, decoded)


async def optional_object(request: Request) -> Doc:
    """The document in the body, or an empty one where there is none. Raises StatusError."""
    body = await read_body(request)
    if not body.strip():
        return {}
    return bodies.as_object(bodies.decode(bodies.media_type(request.headers.get("content-type", "")), body))


def duplicates(about: Call, decoded: Body) -> tuple[str, ...]:
    """Keys given twice: refused, warned of or passed over, as `fieldValidation` says."""
    found = [f'duplicate field "{path}"' for path in decoded.duplicates]
    if found and about.validation == "Strict":
        raise documents.strict_error(about, found)
    return tuple(found) if about.validation == "Warn" else ()
