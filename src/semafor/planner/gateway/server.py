"""What a gateway listens on, as values that both APIs are read into: Istio's Gateway and the Gateway API's."""

from typing import Literal

from semafor.base.problem import ObjectRef, Problem
from semafor.base.struct import Value
from semafor.ir import Origin
from semafor.planner.hosts import Age
from semafor.planner.proxy import Labels, Transport

Mode = Literal["simple", "mutual", "optional_mutual", "istio_mutual", "passthrough", "auto_passthrough"]
TlsVersion = Literal["", "1.0", "1.1", "1.2", "1.3"]
Speaks = Literal["http", "https", "tls", "tcp", "udp"]

ANY = "*"


class ServedHost(Value):
    """A host that a server serves, with or without a wildcard, to the routes of one namespace or of all (`*`)."""

    name: str
    namespace: str = ANY


class Files(Value):
    """A certificate and its key as files that the gateway's Envoy reads.

    `authorities` are those for its clients, `revoked` the certificates of theirs that count for nothing any more.
    """

    certificate: str = ""
    key: str = ""
    authorities: str = ""
    revoked: str = ""


class ServerTls(Value):
    """How TLS is ended, or that it is passed through.

    `credentials` name Secrets, `namespace/name`, or `name` alone for one in the gateway's own namespace; several are
    certificates for different kinds of keys or different names. `authorities` names the Secret or ConfigMap
    (`ConfigMap:namespace/name`) with which clients are verified; when it is empty, they are in the credential itself,
    or in the Secret `NAME-cacert`. `sans`, `public_keys` (SPKI) and `hashes` narrow down which clients are taken.
    `untrusted`: clients whose certificate is not good are let in all the same.
    """

    mode: Mode
    credentials: tuple[str, ...] = ()
    authorities: str = ""
    files: tuple[Files, ...] = ()
    sans: tuple[str, ...] = ()
    public_keys: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    min_version: TlsVersion = ""
    max_version: TlsVersion = ""
    ciphers: tuple[str, ...] = ()
    untrusted: bool = False

    @property
    def ends_here(self) -> bool:
        return self.mode not in {"passthrough", "auto_passthrough"}


class Server(Value):
    """One port of a gateway with the hosts that are served there.

    `port` is the number that clients of the gateway's Service use; where the pod listens follows from the Service.
    `bind` of "" listens on every address of the pod. `redirects`: plain requests are sent to https.
    `name` is the server's own name (of a Gateway API listener: its name); `port_name` that of its port.
    """

    gateway: ObjectRef
    origin: Origin
    port: int
    speaks: Speaks
    hosts: tuple[ServedHost, ...]
    name: str = ""
    port_name: str = ""
    bind: str = ""
    tls: ServerTls | None = None
    redirects: bool = False

    @property
    def transport(self) -> Transport:
        return "UDP" if self.speaks == "udp" else "TCP"

    @property
    def carries_requests(self) -> bool:
        """Whether HTTP is spoken here, in plain text or in TLS that ends here."""
        return self.speaks == "http" or (self.speaks == "https" and self.tls is not None and self.tls.ends_here)


class Gateway(Value, cache_hash=True):
    """One object. It is served by pods with the labels of `selector`: those of `pods_in`, or of any namespace."""

    ref: ObjectRef
    selector: Labels
    servers: tuple[Server, ...]
    age: Age
    origin: Origin
    pods_in: str = ""
    problems: tuple[Problem, ...] = ()

    @property
    def name(self) -> str:
        """What routes call it: `namespace/name`."""
        return f"{self.ref.namespace}/{self.ref.name}"
