"""What a handler is asked and what it answers, whichever version of HTTP carries it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO
from urllib.parse import parse_qs, urlsplit

Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Tls:
    """How a connection is encrypted. `certificates` are the client's, in PEM."""

    version: str
    server_name: str
    protocol: str
    cipher: str
    certificates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Request:
    """A request. `target` is as it was sent; `headers` have no Host."""

    method: str
    target: str
    host: str
    protocol: str
    headers: Headers
    peer: tuple[str, int]
    body: bytes = b""
    tls: Tls | None = None

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    def value(self, name: str) -> str:
        """A parameter of the query or of a form, empty when it is not there."""
        form = self.body.decode("utf-8", "replace") if "form-urlencoded" in self.header("content-type") else ""
        for text in (form, urlsplit(self.target).query):
            found = parse_qs(text, keep_blank_values=True).get(name)
            if found:
                return found[0]
        return ""

    def header(self, name: str) -> str:
        """The first value of a header, empty when it is not there."""
        return next((value for key, value in self.headers if key.lower() == name), "")


@dataclass
class Answer:
    """An answer. `takes` is handed the connection after the head; `reset` breaks it instead of answering."""

    code: int = 200
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    trailers: Headers | None = None
    takes: Callable[[BinaryIO, BinaryIO], None] | None = None
    reset: bool = False


Handler = Callable[[Request], Answer]
