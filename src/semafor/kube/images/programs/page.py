"""Stands where a dashboard would: hands what comes to its port to the page of the mesh, over a socket of the pod's.

It understands nothing of what passes; who may look is the page's to say.
"""

# A program of its own.
# ruff: noqa: T201

import asyncio
import contextlib
import signal

PORT = 20001
METRICS_PORT = 9090
SOCKET = "/var/run/semafor/page.sock"
CHUNK_BYTES = 65536


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Everything that comes, until the end of it."""
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection, both ways."""
    try:
        inside, out = await asyncio.open_unix_connection(SOCKET)
    except OSError:
        writer.close()
        return
    try:
        await asyncio.gather(copy(reader, out), copy(inside, writer))
    finally:
        for each in (out, writer):
            each.close()


async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The port of the original's own metrics, of which there are none."""
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
    await asyncio.start_server(forward, None, PORT)
    await asyncio.start_server(nothing, None, METRICS_PORT)
    print(f"the page is at port {PORT}; sign in with: semafor dashboard", flush=True)
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(main())
