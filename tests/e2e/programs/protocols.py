"""A server of many protocols: HTTP/1.1 on 8001, gRPC 8002, WebSocket 8003, TCP 8004, server-first TCP 8005."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Request, TextMessage


class Http(BaseHTTPRequestHandler):
    protocol_version, disable_nagle_algorithm = "HTTP/1.1", True

    def do_GET(self):
        body = f"{self.request_version} {self.headers.get('x-forwarded-client-cert', 'plain')}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Grpc(grpc.GenericRpcHandler):
    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(lambda request, _: b"echo " + request)


async def web_socket(reader, writer):
    socket = WSConnection(ConnectionType.SERVER)
    while data := await reader.read(4096):
        socket.receive_data(data)
        for event in socket.events():
            if isinstance(event, Request):
                writer.write(socket.send(AcceptConnection()))
            elif isinstance(event, TextMessage):
                writer.write(socket.send(TextMessage(data=f"echo {event.data}")))
            elif isinstance(event, CloseConnection):
                writer.write(socket.send(event.response()))
                writer.close()
                return


async def tcp(reader, writer):
    while line := await reader.readline():
        writer.write(b"echo " + line)
    writer.close()


async def server_first(reader, writer):
    writer.write(b"welcome\n")
    await tcp(reader, writer)


async def main():
    threading.Thread(target=ThreadingHTTPServer(("0.0.0.0", 8001), Http).serve_forever, daemon=True).start()
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((Grpc(),))
    server.add_insecure_port("0.0.0.0:8002")
    server.start()
    servers = [await asyncio.start_server(*each) for each in ((web_socket, "0.0.0.0", 8003), (tcp, "0.0.0.0", 8004))]
    servers.append(await asyncio.start_server(server_first, "0.0.0.0", 8005))
    print("ready", flush=True)
    await asyncio.gather(*(each.serve_forever() for each in servers))


asyncio.run(main())
