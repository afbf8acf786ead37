"""The log of a container, as a body that may not end."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from starlette.responses import Response, StreamingResponse

from semafor.kube.api import errors
from semafor.kube.api.node import Node, NodeError
from semafor.kube.api.streams.target import LogOptions


async def serve(node: Node, pod: dict[str, Any], container: str, options: LogOptions) -> Response:
    """Answer with the log. Raises StatusError BadRequest when there is none."""
    if not pod.get("spec", {}).get("nodeName"):
        return Response(media_type="text/plain")
    chunks = node.logs(
        pod,
        container,
        previous=options.previous,
        follow=options.follow,
        tail=options.tail,
        since=options.since,
        timestamps=options.timestamps,
        limit_bytes=options.limit_bytes,
    )
    try:
        first = await anext(chunks, None)
    except NodeError as error:
        raise errors.bad_request(str(error)) from None
    if first is None:
        return Response(media_type="text/plain")
    return StreamingResponse(_body(first, chunks), media_type="text/plain")


async def _body(first: bytes, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The log; what goes wrong after the head was sent can only end it."""
    if first:
        yield first
    try:
        async for chunk in chunks:
            if chunk:
                yield chunk
    except NodeError:
        return
    finally:
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()
