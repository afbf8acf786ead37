"""A server whose answers can be asked for: HTTP on 8001 (/STATUS, /reset, /slow), gRPC on 8002, TCP on 8004."""

import socket
import socketserver
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc


class Http(BaseHTTPRequestHandler):
    protocol_version, disable_nagle_algorithm = "HTTP/1.1", True

    def do_GET(self):
        asked = self.path.strip("/")
        if asked == "reset":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        if asked == "slow":
            time.sleep(3)
        self.send_response(int(asked) if asked.isdigit() else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"hi")

    def log_message(self, *_):
        pass


class Grpc(grpc.GenericRpcHandler):
    def service(self, details):
        fails = details.method.endswith("Fail")
        return grpc.unary_unary_rpc_method_handler(refuse if fails else lambda request, _: request)


def refuse(_request, context):
    context.abort(grpc.StatusCode.NOT_FOUND, "nothing here")


class Lines(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line)


class Tcp(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads, request_queue_size = True, True, 128


class Web(ThreadingHTTPServer):
    request_queue_size = 128


rpc = grpc.server(ThreadPoolExecutor(4))
rpc.add_generic_rpc_handlers((Grpc(),))
rpc.add_insecure_port("0.0.0.0:8002")
rpc.start()
threading.Thread(target=Tcp(("0.0.0.0", 8004), Lines).serve_forever, daemon=True).start()
print("ready", flush=True)
Web(("0.0.0.0", 8001), Http).serve_forever()
