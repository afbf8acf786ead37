"""Istio's sample helloworld: says which version and which pod answered.

Source: https://github.com/istio/istio/tree/master/samples/helloworld.
"""

# A program of its own, for a pod: it prints, and listens on all of the pod's addresses.
# ruff: noqa: S104, T201

import os
import signal
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = 5000


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one packet: apart, the second waits for the first one's acknowledgement (40 ms).
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        version = os.environ.get("SERVICE_VERSION", "v1")
        instance = os.environ.get("HOSTNAME") or socket.gethostname()
        path = self.path.partition("?")[0]
        if path == "/hello":
            self._answer(200, f"Hello version: {version}, instance: {instance}\n")
        elif path == "/health":
            self._answer(200, "Helloworld is healthy")
        else:
            self._answer(404, "not found\n")

    def _answer(self, code: int, text: str) -> None:
        body = text.encode()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def server_bind(self) -> None:
        # The parent's looks its own name up, which takes seconds where there is no resolver.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "helloworld", self.server_address[1]


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(f"Helloworld listens on 0.0.0.0:{PORT}", flush=True)
    Server(("0.0.0.0", int(os.environ.get("PORT", str(PORT)))), Handler).serve_forever()
