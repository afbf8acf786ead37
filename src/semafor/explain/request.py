"""What is asked about: a request or a connection, and who makes it."""

from typing import Literal

from semafor.base.struct import Value

Says = Literal["http", "tls", "bytes", "nothing"]
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Caller(Value):
    """Who calls: a pod `namespace/name`. `identity` is what its certificate proves, empty without a sidecar.

    `address` is the other end of the connection, `remote_address` that of the first client where it is another.
    """

    name: str
    identity: str = ""
    address: str = ""
    remote_address: str = ""


class Request(Value):
    """A request, or with an empty `method` a connection on which the caller says `says` first.

    `host` is written as the caller writes it, `address` is what it resolves to. `server_name` and
    `protocols` are in the hello of TLS.
    `at_port` is the port of a gateway's pod where it comes in, 0 for `port`.
    `claims` are those of a valid token, by name (dots between levels) with their texts; none stands for no token.
    """

    host: str
    port: int = 80
    method: str = ""
    path: str = "/"
    headers: tuple[tuple[str, str], ...] = ()
    scheme: str = "http"
    says: Says = "http"
    server_name: str = ""
    protocols: tuple[str, ...] = ()
    address: str = ""
    at_port: int = 0
    claims: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def carries_request(self) -> bool:
        return bool(self.method)

    @property
    def authority(self) -> str:
        """The host as clients send it: with its port where that is not the scheme's own."""
        return self.host if self.port == _DEFAULT_PORTS.get(self.scheme) else f"{self.host}:{self.port}"

    @property
    def plain_path(self) -> str:
        """The path without its query."""
        return self.path.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """The parameters; of several with one name the first, which is the one that Envoy looks at."""
        pairs = [pair.partition("=")[::2] for pair in self.path.partition("?")[2].split("&") if pair]
        return dict(reversed(pairs))

    def header(self, name: str) -> str | None:
        """The value of a header or pseudo-header; several of one name are joined, as Envoy does before it looks."""
        pseudo = {":method": self.method, ":authority": self.authority, ":scheme": self.scheme, ":path": self.path}
        if name in pseudo:
            return pseudo[name]
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        return ",".join(found) if found else None

    def claim(self, name: str) -> tuple[str, ...]:
        return next((values for key, values in self.claims if key == name), ())

    def __str__(self) -> str:
        if self.carries_request:
            return f"{self.method} {self.scheme}://{self.authority}{self.path}"
        return f"{ {'nothing': 'a silent caller'}.get(self.says, self.says) } to {self.host}:{self.port}"
