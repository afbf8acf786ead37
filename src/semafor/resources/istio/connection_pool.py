"""Limits for connections and requests. Source: Istio's API reference."""

from typing import Annotated, Literal

from semafor.base.struct import Document
from semafor.resources.marks import NON_NEGATIVE, Duration, within


class TcpKeepalive(Document):
    """Keep-alive of a socket."""

    probes: Annotated[int, "Probes without an answer after which the connection is dead."] = 0
    time: Annotated[Duration | None, "Quiet time before the first probe."] = None
    interval: Annotated[Duration | None, "Time between probes."] = None


class TCPSettings(Document):
    """Limits for all connections."""

    max_connections: Annotated[int, NON_NEGATIVE, "Most connections to the service."] = 0
    connect_timeout: Annotated[Duration | None, "Longest time to connect; 10s when absent."] = None
    tcp_keepalive: Annotated[TcpKeepalive | None, "Keep-alive of the sockets."] = None
    max_connection_duration: Annotated[Duration | None, "Longest life of a connection."] = None
    idle_timeout: Annotated[Duration | None, "Longest time without traffic; 1h when absent."] = None


class ConnectionKeepalive(Document):
    """Pings that keep an HTTP/2 connection alive."""

    interval: Annotated[Duration | None, "Time between pings."] = None
    timeout: Annotated[Duration | None, "Longest time to answer a ping."] = None


class HTTPSettings(Document):
    """Limits for HTTP."""

    http1_max_pending_requests: Annotated[int, NON_NEGATIVE, "Most requests that wait for a connection."] = 0
    http2_max_requests: Annotated[int, NON_NEGATIVE, "Most requests at a time."] = 0
    max_requests_per_connection: Annotated[
        int, NON_NEGATIVE, "Requests after which a connection is closed; 0 means never."
    ] = 0
    max_retries: Annotated[int, within(-(2**31), 2**31 - 1), "Most retries at a time."] = 0
    idle_timeout: Annotated[Duration | None, "Longest time without requests; 1h when absent."] = None
    h2_upgrade_policy: Annotated[
        Literal["DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"], "Whether HTTP/1.1 is turned into HTTP/2."
    ] = "DEFAULT"
    use_client_protocol: Annotated[bool, "Whether the client's protocol is kept."] = False
    max_concurrent_streams: Annotated[int, NON_NEGATIVE, "Most streams on one HTTP/2 connection."] = 0
    http2_keep_alive: Annotated[ConnectionKeepalive | None, "Pings that keep an HTTP/2 connection alive."] = None


class ConnectionPoolSettings(Document):
    """How many connections and requests there may be."""

    tcp: Annotated[TCPSettings | None, "For all connections."] = None
    http: Annotated[HTTPSettings | None, "For HTTP."] = None
