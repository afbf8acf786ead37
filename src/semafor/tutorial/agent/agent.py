"""An agent: it takes a question over HTTP and asks the model service. It knows nothing of the mesh."""

import json
import os
import threading
import urllib.parse
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MODEL_HOST = os.environ.get("MODEL_HOST", "model")
MODEL_PORT = 80
TIMEOUT_S = 10

_local = threading.local()


def ask(question: str, user: str = "") -> dict:
    """The model's answer. One connection per thread is kept open, as an HTTP client library would do."""
    body = json.dumps({"model": "demo", "messages": [{"role": "user", "content": question}]})
    headers = {"Content-Type": "application/json", "User-Agent": "agent/1.0"} | ({"x-test-user": user} if user else {})
    connection = getattr(_local, "connection", None) or HTTPConnection(MODEL_HOST, MODEL_PORT, timeout=TIMEOUT_S)
    _local.connection = connection
    try:
        connection.request("POST", "/v1/chat/completions", body, headers)
        response = connection.getresponse()
        content = response.read()
    except (OSError, HTTPException):
        connection.close()
        _local.connection = None
        raise
    if response.status != 200:
        raise RuntimeError(f"the model answered {response.status}: {content[:200].decode(errors='replace')}")
    return json.loads(content)


class Handler(BaseHTTPRequestHandler):
    """`GET /ask?q=...` asks the model; `GET /health` says that the agent is alive."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/health":
            return self.reply(200, {"status": "healthy"})
        if url.path != "/ask":
            return self.reply(404, {"error": f"no such path: {url.path}; try /ask?q=hello"})
        question = urllib.parse.parse_qs(url.query).get("q", ["hello"])[0]
        try:
            answer = ask(question, self.headers.get("x-test-user", ""))
        except (OSError, HTTPException, RuntimeError) as error:
            return self.reply(502, {"error": str(error)})
        return self.reply(200, {"agent": os.uname().nodename, "version": answer["version"], "answer": text_of(answer)})

    def reply(self, status: int, document: dict) -> None:
        body = json.dumps(document).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """A line per request would drown the log."""


def text_of(answer: dict) -> str:
    return answer["choices"][0]["message"]["content"]


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    print("agent: listening on port 8080", flush=True)
    Server(("0.0.0.0", 8080), Handler).serve_forever()
