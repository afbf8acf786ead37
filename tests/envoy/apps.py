"""Applications behind the proxies: HTTP/1.1 with WebSocket, gRPC (HTTP/2), bytes, and a server that speaks first."""

import asyncio
import json
from contextlib import asynccontextmanager

import grpc
import grpc.aio
import wsproto
from wsproto import events


@asynccontextmanager
async def http(name: str):
    """Answers every request with its own name and the request's path, version and headers; echoes WebSockets."""

    async def serve(reader, writer):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode("latin1").split("\r\n")
                method, path, version = lines[0].split(" ")
                headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:] if line)}
                if headers.get("upgrade") == "websocket":
                    return await echo(head, reader, writer)
                await reader.readexactly(int(headers.get("content-length", 0)))
                body = json.dumps(
                    {"app": name, "method": method, "path": path, "version": version, "headers": headers}
                ).encode()
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async with _listening(serve) as port:
        yield port


async def echo(head, reader, writer):
    """A WebSocket that sends back what it gets."""
    connection = wsproto.WSConnection(wsproto.ConnectionType.SERVER)
    connection.receive_data(head)
    while True:
        for event in connection.events():
            if isinstance(event, events.Request):
                writer.write(connection.send(events.AcceptConnection()))
            elif isinstance(event, events.TextMessage):
                writer.write(connection.send(events.TextMessage(data=event.data)))
            elif isinstance(event, events.CloseConnection):
                writer.write(connection.send(event.response()))
                return
        await writer.drain()
        data = await reader.read(65536)
        if not data:
            return
        connection.receive_data(data)


@asynccontextmanager
async def lines(name: str, *, greets: bool = False, host: str = "127.0.0.1"):
    """Plain TCP: answers each line with its own name and the line; may speak first, as SMTP and MySQL do."""

    async def serve(reader, writer):
        try:
            if greets:
                writer.write(f"220 {name}\n".encode())
            while line := await reader.readline():
                writer.write(name.encode() + b" " + line)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async with _listening(serve, host) as port:
        yield port


@asynccontextmanager
async def grpc_echo():
    """A gRPC server whose every unary method answers with the request."""

    class Echo(grpc.GenericRpcHandler):
        def service(self, details):
            async def echo(request, _):
                return request

            return grpc.unary_unary_rpc_method_handler(echo)

    server = grpc.aio.server(handlers=(Echo(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(0)


@asynccontextmanager
async def _listening(serve, host="127.0.0.1"):
    server = await asyncio.start_server(serve, host, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
