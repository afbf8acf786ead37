"""Calls as lines of text, so that routing can be tested without a word of Python.

    # a request: method, host, path; headers as name=value; the caller, when it is not the case's own proxy
    call GET model:8080/chat?stream=true x-user=ada "user-agent=Some Phone" from=shop/visitor-1 -> model/v2
    # bytes: what the caller says first (tls, bytes, or nothing, when the server speaks first)
    connect memory:6379 says=bytes -> memory
    connect vault:443 says=tls sni=a.example.com -> vault     (without sni, the hello names the host)
    # what reaches a pod, from a pod with a sidecar or (without `from`) from a caller without one: a request, or bytes
    receive GET model-v1-1:8080/chat from=shop/visitor-1 -> app
    accept memory-1:6379 -> closed
    # what reaches a port of a gateway's pod from outside: requests, TLS that it does not look into, bytes; `with` names
    # a Secret with the client's certificate, `from` a pod that shows its own
    enter GET https://shop.example.com:8443/cart with=ada -> cart
    enter tls://memory.example.com:8443 at=istio-system/ingress-1 -> memory

The result is where it goes: `service/subset`, with shares where there are several, and in brackets what is changed on
the way; `direct` for a host that the mesh does not know, `nowhere` for one that it refuses, `outside` by way of the
node; or the answer that the proxy gives itself.
"""

import shlex
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Call:
    """One line."""

    text: str
    result: str
    verb: str
    host: str
    port: int
    path: str = ""
    method: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    caller: str = ""
    says: str = "bytes"
    scheme: str = ""
    certificate: str = ""
    at: str = ""
    alpn: tuple[str, ...] = ()
    sni: str = ""
    asked: str = ""  # the path as the caller wrote it, where the proxy makes another of it

    def __str__(self) -> str:
        return f"{self.text} -> {self.result}"

    @property
    def is_inbound(self) -> bool:
        return self.verb in ("receive", "accept")

    @property
    def is_entering(self) -> bool:
        return self.verb == "enter"

    @property
    def carries_request(self) -> bool:
        return bool(self.method)

    @property
    def kind(self) -> str:
        """How the call meets the proxy that decides."""
        return "in" if self.is_inbound else "enter" if self.is_entering else "out"

    @property
    def proxy(self) -> str:
        """The pod whose proxy decides, as `namespace/name`, empty for the case's own.

        One that is called may be written `name.namespace`.
        """
        if self.is_entering:
            return self.at
        name, _, namespace = self.host.partition(".")
        own = f"{namespace}/{name}" if namespace else name
        return own if self.is_inbound else self.caller

    def with_result(self, result: str) -> "Call":
        return replace(self, result=result)


def read(path: Path) -> list[Call]:
    lines = (line.strip() for line in path.read_text().splitlines())
    return [parse(line) for line in lines if line and not line.startswith("#")]


def parse(line: str) -> Call:
    text, arrow, result = (part.strip() for part in line.rpartition(" -> "))
    assert arrow, f"no result in {line!r}"
    verb, *words = shlex.split(text)
    method = words.pop(0) if verb in ("call", "receive") or ("://" not in words[0] and verb == "enter") else ""
    scheme, _, words[0] = words[0].rpartition("://")
    host, slash, path = words.pop(0).partition("/")
    host, _, port = host.partition(":")
    pairs = dict(word.split("=", 1) for word in words)
    return Call(
        text=text,
        result=result,
        verb=verb,
        host=host,
        port=int(port or 80),
        path=slash + path,
        method=method,
        scheme=scheme,
        certificate=pairs.pop("with", ""),
        at=pairs.pop("at", ""),
        alpn=tuple(pairs.pop("alpn", "").split(",")) if "alpn" in pairs else (),
        caller=pairs.pop("from", ""),
        says=pairs.pop("says", "http" if verb == "call" else "bytes"),
        sni=pairs.pop("sni", host),
        headers=tuple(pairs.items()),
    )
