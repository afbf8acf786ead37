"""Stands where a dashboard or a collector would: hands what comes to its ports to the mesh, over sockets of the pod's.

It understands nothing of what passes; who may look is for the other side to say. Which port leads where comes by the
environment: SEMAFOR_DOORS="20001=page.sock" and SEMAFOR_QUIET="9090", ports that answer every request with nothing.
"""

# A program of its own.
# ruff: noqa: T201

import asyncio
import contextlib
import functools
import os
import signal

FOLDER = "/var/run/semafor"
CHUNK_BYTES = 65536


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Everything that comes, until the end of it."""
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


async def forward(path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection, both ways."""
    try:
        inside, out = await asyncio.open_unix_connection(path)
    except OSError:
        writer.close()
        return
    try:
        await asyncio.gather(copy(reader, out), copy(inside, writer))
    finally:
        for each in (out, writer):
            each.close()


async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The ports of the original's own metrics and health: of the first there are none, the second is good."""
    with contextlib.suppress(OSError):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: 0\r\n")
        writer.write(b"Connection: close\r\n\r\n")
        await writer.drain()
    writer.close()


async def main() -> None:
    """Serve until told to end."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    for door in os.environ["SEMAFOR_DOORS"].split():
        port, _, name = door.partition("=")
        path = f"{FOLDER}/{name}"
        await asyncio.start_server(functools.partial(forward, path), None, int(port))
        if not os.path.exists(path):  # noqa: ASYNC240, PTH110 - once, at the start
            print(f"port {port} leads nowhere: this image stands for the mesh's own in istio-system alone", flush=True)
    for port in os.environ["SEMAFOR_QUIET"].split():
        await asyncio.start_server(nothing, None, int(port))
    print(os.environ["SEMAFOR_TOLD"], flush=True)
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(main())
