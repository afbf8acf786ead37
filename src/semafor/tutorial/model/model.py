"""A stand-in for a language model: the shape of a chat completion, no weights. It says which version answered."""

import json
import os
import random
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION = os.environ.get("MODEL_VERSION", "v1")
# To try retries and time-outs: the share of questions that fail with 500, and how long an answer takes.
FAILS = float(os.environ.get("MODEL_FAILS", "0"))
DELAY_S = float(os.environ.get("MODEL_DELAY_S", "0"))


def complete(question: str) -> str:
    """Version 1 repeats the question; version 2 also counts its words."""
    if VERSION == "v1":
        return f"You asked: {question}"
    return f"You asked {len(question.split())} words: {question}"


_greeted: set[str] = set()


def greet(caller: str) -> None:
    """Say once who calls: the proxy beside this app verified the certificate and tells its identity."""
    if caller not in _greeted:
        _greeted.add(caller)
        print(f"model {VERSION}: first request, caller={caller}", flush=True)


class Handler(BaseHTTPRequestHandler):
    """`POST /v1/chat/completions` as OpenAI's API shapes it; `GET /health` for the probes."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        status = 200 if self.path == "/health" else 404
        self.reply(status, {"status": "healthy", "version": VERSION} if status == 200 else {"error": "not found"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        greet(self.headers.get("x-forwarded-client-cert", "none"))
        try:
            question = json.loads(body)["messages"][-1]["content"]
        except (ValueError, LookupError, TypeError) as error:
            return self.reply(400, {"error": f"not a chat completion request: {error!r}"})
        time.sleep(DELAY_S)
        if random.random() < FAILS:  # noqa: S311 - a coin, not a secret
            return self.reply(500, {"error": f"model {VERSION} failed"})
        choice = {"index": 0, "message": {"role": "assistant", "content": complete(question)}, "finish_reason": "stop"}
        return self.reply(200, {"object": "chat.completion", "version": VERSION, "choices": [choice]})

    def reply(self, status: int, document: dict) -> None:
        body = json.dumps(document).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-model-version", VERSION)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """A line per request would drown the log."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    print(f"model {VERSION}: listening on port 8080", flush=True)
    Server(("0.0.0.0", 8080), Handler).serve_forever()
