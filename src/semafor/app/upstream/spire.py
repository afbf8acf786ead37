"""Has a SPIRE server sign an intermediate, as the servers do that are nested below one another.

Sources: SPIRE's API, `spire.api.server.svid.v1.SVID/NewDownstreamX509CA`; the SPIFFE Workload API, X.509-SVID profile.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from semafor.app.upstream import call
from semafor.app.upstream.call import CallError
from semafor.app.upstream.settings import Spire
from semafor.base import protobuf
from semafor.ca import svid
from semafor.ca.intermediate import Asked
from semafor.ca.plugged import PluggedError

SOURCE: Final = "spire"
METHOD: Final = "/spire.api.server.svid.v1.SVID/NewDownstreamX509CA"
WORKLOAD: Final = "/SpiffeWorkloadAPI/FetchX509SVID"
_SECURITY_HEADER: Final = (("workload.spiffe.io", "true"),)
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def sign(settings: Spire, asked: Asked) -> tuple[list[bytes], list[bytes]]:
    """The chain and the roots, as DER. Raises PluggedError, with the server's own words."""
    message = protobuf.delimited(1, asked.request) + b"\x10" + protobuf.varint(int(settings.lifetime_s))
    try:
        async with _connected(settings) as streams:
            answer = await call.unary(streams, METHOD, message)
        found = list(protobuf.fields(answer))
    except (CallError, OSError, protobuf.MalformedError, svid.SvidError) as error:
        raise PluggedError(f"SPIRE at {settings.server}: {error}") from error
    return [der for number, der in found if number == 1], [der for number, der in found if number == 2]


@contextlib.asynccontextmanager
async def _connected(settings: Spire) -> AsyncIterator[Streams]:
    if settings.server.startswith("unix:"):
        streams = await asyncio.open_unix_connection(settings.server.removeprefix("unix:"))
    else:
        host, _, port = settings.server.rpartition(":")
        own = await _own(settings)
        streams = await asyncio.open_connection(host, int(port), ssl=own.context(), server_hostname="")
    try:
        if tls := streams[1].get_extra_info("ssl_object"):
            svid.check(tls, f"spiffe://{settings.trust_domain}/spire/server")
        yield streams
    finally:
        streams[1].close()


async def _own(settings: Spire) -> svid.Svid:
    """Who we are to SPIRE, as its agent on this machine says."""
    streams = await asyncio.open_unix_connection(settings.workload_socket)
    try:
        answer = await call.unary(streams, WORKLOAD, b"", _SECURITY_HEADER)
    finally:
        streams[1].close()
    for number, message in protobuf.fields(answer):
        if number == 1:
            parts = dict(protobuf.fields(message))
            return svid.Svid(chain=parts.get(2, b""), key=parts.get(3, b""), roots=parts.get(4, b""))
    raise CallError("the Workload API gives us no identity: register one for this process")
