"""Istio's sample tcp-echo: sends each line back behind a word. `tcp-echo PORT[,PORT...] WORD`.

Source: https://github.com/istio/istio/tree/master/samples/tcp-echo.
"""

# A program of its own.
# ruff: noqa: T201

import asyncio
import signal
import sys


async def main(ports: list[int], word: str) -> None:
    """Listen on all ports until SIGTERM."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(f"{word} ".encode() + line)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    servers = [await asyncio.start_server(answer, None, port) for port in ports]
    print(f"listening on {', '.join(map(str, ports))}, prefix: {word}", flush=True)
    await stop.wait()
    for server in servers:
        server.close()


if __name__ == "__main__":
    words = sys.argv[1:]
    asyncio.run(main([int(port) for port in (words[0] if words else "9000").split(",")], (words[1:] or ["hello"])[0]))
