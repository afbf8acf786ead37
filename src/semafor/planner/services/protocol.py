"""Which protocol a port speaks. Source: Istio's "Protocol Selection" and its ConvertProtocol."""

from enum import Enum


class Protocol(Enum):
    """What is declared for a port; SNIFFED when nothing is."""

    HTTP = "http"
    HTTP2 = "http2"
    GRPC = "grpc"
    TCP = "tcp"
    TLS = "tls"
    UDP = "udp"
    SNIFFED = "sniffed"

    @property
    def is_http(self) -> bool:
        return self is Protocol.HTTP or self.is_http2  # a set would hash them, which enumerations do in Python

    @property
    def is_routed(self) -> bool:
        """Whether requests may come in, so that routes apply."""
        return self.is_http or self is Protocol.SNIFFED

    @property
    def is_http2(self) -> bool:
        return self is Protocol.HTTP2 or self is Protocol.GRPC


_WORDS = {
    "http": Protocol.HTTP,
    "http_proxy": Protocol.HTTP,
    "http2": Protocol.HTTP2,
    "grpc": Protocol.GRPC,
    "https": Protocol.TLS,
    "tls": Protocol.TLS,
    "tcp": Protocol.TCP,
    "mongo": Protocol.TCP,
    "mysql": Protocol.TCP,
    "redis": Protocol.TCP,
    "udp": Protocol.UDP,
}
# Kubernetes' own words, only in appProtocol. Source: the field's description in the Kubernetes API.
_KUBERNETES = {
    "kubernetes.io/h2c": Protocol.HTTP2,
    "kubernetes.io/ws": Protocol.HTTP,
    "kubernetes.io/wss": Protocol.TLS,
}
# Servers that speak first (SMTP, MySQL) or never HTTP (DNS, MongoDB): to wait for the client would only delay.
_NEVER_SNIFFED = frozenset({25, 53, 3306, 27017})


def declared(number: int, name: str, transport: str, app_protocol: str | None) -> Protocol:
    """The protocol of a service's port: by appProtocol, else by the prefix of its name, else by its number."""
    if transport == "UDP":
        return Protocol.UDP
    if app_protocol in _KUBERNETES:
        return _KUBERNETES[app_protocol]
    word = (app_protocol or name).lower()
    if word.startswith("grpc-web"):
        return Protocol.HTTP  # gRPC in HTTP/1.1's clothes; servers of it accept both
    protocol = _WORDS.get(word.partition("-")[0], Protocol.SNIFFED)
    if protocol is Protocol.SNIFFED and number in _NEVER_SNIFFED:
        return Protocol.TCP
    return protocol
