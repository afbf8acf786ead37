"""OpenTelemetry's collector door for spans: gRPC on a unix socket, as Envoys and applications report."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import grpc
import grpc.aio
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from semafor.base import unix
from semafor.telemetry.traces import otlp
from semafor.telemetry.traces.span import Malformed, Span

METHOD: Final = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
MAX_REPORT_BYTES: Final = 4 << 20  # gRPC's own default, said because HTTP's door keeps it too
_OPTIONS: Final = (("grpc.max_receive_message_length", MAX_REPORT_BYTES), ("grpc.so_reuseport", 0))

Take = Callable[[list[Span]], int]
"""Keeps spans and returns how many it had to drop. Called in the event loop, so it returns at once."""


class Receiver:
    """Serve on the unix socket `path`, made with mode 0600; an old socket there is replaced."""

    def __init__(self, path: Path, take: Take) -> None:
        self._path = path
        self._take = take
        self._grpc: Any = None

    async def start(self) -> None:
        """Raises OSError when the socket cannot be made."""
        self._grpc = grpc.aio.server(options=_OPTIONS)
        self._grpc.add_generic_rpc_handlers((_Handler(self._export),))
        unix.listen(self._grpc, self._path)
        await self._grpc.start()

    async def stop(self) -> None:
        if self._grpc is not None:
            await self._grpc.stop(0)
        self._path.unlink(missing_ok=True)

    async def _export(self, raw: bytes, call: Any) -> bytes:
        try:
            spans = otlp.spans(raw)
        except Malformed as error:
            await call.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        return answer(self._take(spans))


def answer(dropped: int) -> bytes:
    """An ExportTraceServiceResponse, which says how many spans were not kept."""
    if not dropped:
        return b""
    partial = ExportTracePartialSuccess(rejected_spans=dropped, error_message="more spans than can be written")
    return ExportTraceServiceResponse(partial_success=partial).SerializeToString()


class _Handler(grpc.GenericRpcHandler):  # type: ignore[misc]
    def __init__(self, export: Callable[[bytes, Any], Awaitable[bytes]]) -> None:
        self._export = grpc.unary_unary_rpc_method_handler(export)

    def service(self, details: Any) -> Any:
        return self._export if details.method == METHOD else None
