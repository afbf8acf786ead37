"""A service that fails on purpose. ERROR_RATE of its answers are 500, SLOW_RATE of the others take SLOW_S seconds.

/count tells how many requests came to /, and is never wrong or slow.
"""

import os
import random
import socket
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ERROR_RATE, SLOW_RATE, SLOW_S = (float(os.environ.get(name, "0")) for name in ("ERROR_RATE", "SLOW_RATE", "SLOW_S"))
came = []


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/count":
            return self.say(200, str(len(came)))
        came.append(None)
        if random.random() < ERROR_RATE:
            return self.say(500, "broken")
        if random.random() < SLOW_RATE:
            time.sleep(SLOW_S)
        return self.say(200, socket.gethostname())

    def say(self, status, text):
        self.send_response(status)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        """Nobody reads it."""


class Server(ThreadingHTTPServer):
    request_queue_size = 512


Server(("0.0.0.0", 8080), Answer).serve_forever()
