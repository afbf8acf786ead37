"""Where Envoys come in, and how they prove who they are.

Socket   a unix socket, and a token for each proxy    one machine
Port     TLS on both sides, by the mesh's own roots   a cluster
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, ClassVar, Protocol

import grpc

from semafor.base import unix
from semafor.base.struct import Value


class NotYet(Exception):  # noqa: N818 - no error: the proxy asks again
    """Nothing is known of this proxy so far, though it may be what it says; the message says what is waited for."""


class Door(Protocol):
    """A way in."""

    REFUSAL: ClassVar[str]  # what those are told who may not come in

    def open(self, server: Any) -> None:
        """Let the gRPC server listen there. Raises OSError."""

    def close(self) -> None: ...

    async def admit(self, call: Any) -> str | None:
        """The proxy that calls; None: nobody's. Raises NotYet."""


class Socket:
    """The unix socket `path` (made with mode 0600; an old socket there is replaced).

    `authenticate` gives the proxy that a bearer token stands for when this peer shows it, or None. The peer is what
    gRPC calls it: for a unix socket, the address that the other end is bound to, if any.
    """

    REFUSAL: ClassVar[str] = "this token stands for no proxy of this mesh"

    def __init__(self, path: Path, authenticate: Callable[[str, str], str | None]) -> None:
        self._path = path
        self._authenticate = authenticate

    def open(self, server: Any) -> None:
        unix.listen(server, self._path)

    def close(self) -> None:
        self._path.unlink(missing_ok=True)

    async def admit(self, call: Any) -> str | None:
        scheme, _, token = _metadata(call).get("authorization", "").partition(" ")
        return self._authenticate(token, call.peer()) if scheme == "Bearer" else None


class Certificates(Value):
    """What the server shows, and whom it trusts: PEM."""

    chain: bytes
    key: bytes
    roots: bytes

    def __repr__(self) -> str:
        return "Certificates(key=redacted)"


class Caller(Value):
    """Who calls: the names in the certificate that TLS has verified, and the pod that it says it is."""

    identities: tuple[str, ...]
    pod: str


POD = "semafor-pod"  # the metadata in which a proxy says which pod it is of


class Port:
    """TLS on both sides. `certificates` are asked for at every connection; None: as before. `who` names the proxy."""

    REFUSAL: ClassVar[str] = "this certificate is not that of the pod"

    def __init__(
        self,
        address: str,
        certificates: Callable[[], Certificates | None],
        who: Callable[[Caller], Awaitable[str | None]],
    ) -> None:
        self.port = 0
        self._address = address
        self._certificates = certificates
        self._who = who

    def open(self, server: Any) -> None:
        first = self._certificates()
        assert first is not None, "there is a first certificate"
        credentials = grpc.dynamic_ssl_server_credentials(_configuration(first), self._fetch, True)  # noqa: FBT003
        try:
            self.port = server.add_secure_port(self._address, credentials)
        except RuntimeError as error:
            raise OSError(f"cannot listen on {self._address}: {error}") from error

    def close(self) -> None:
        """Nothing: the port ends with the server."""

    async def admit(self, call: Any) -> str | None:
        said = call.auth_context() or {}
        identities = tuple(each.decode() for each in said.get("x509_subject_alternative_name", ()))
        return await self._who(Caller(identities, _metadata(call).get(POD, "")))

    def _fetch(self) -> Any:
        found = self._certificates()
        return _configuration(found) if found else None


def _configuration(certificates: Certificates) -> Any:
    pair = (certificates.key, certificates.chain)
    return grpc.ssl_server_certificate_configuration([pair], root_certificates=certificates.roots)


def _metadata(call: Any) -> dict[str, str]:
    return {key: value for key, value in call.invocation_metadata() if isinstance(value, str)}
