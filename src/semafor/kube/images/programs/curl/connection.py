"""From a URL to a connection, in time."""

# A program of its own: it prints.
# ruff: noqa: T201

import contextlib
import http.client
import socket
import ssl
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .options import CurlError, Options

DEFAULT_TIMEOUT_S = 300.0


@dataclass
class Times:
    """Seconds since the start of a transfer, and what was seen on the way."""

    start: float = field(default_factory=time.monotonic)
    namelookup: float = 0
    connect: float = 0
    appconnect: float = 0
    starttransfer: float = 0
    total: float = 0
    size: int = 0
    redirects: int = 0
    code: int = 0
    content_type: str = ""
    url: str = ""
    redirect_url: str = ""
    method: str = ""
    remote: tuple[str, int] = ("", 0)
    version: str = "1.1"

    def now(self) -> float:
        return time.monotonic() - self.start


@contextlib.contextmanager
def connect(url: str, options: Options, times: Times) -> Iterator[http.client.HTTPConnection]:
    parts = _split(url)
    secure = parts[0] == "https"
    connection = http.client.HTTPConnection(parts[1], parts[2], timeout=left(options, times))
    connection.sock = _plug(parts, options, times)
    if secure:
        connection.sock = _secure(connection.sock, parts[1], options, times)
    try:
        yield connection
    finally:
        connection.close()


def _split(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in ("http", "https"):
        raise CurlError(1, f'Protocol "{parts.scheme}" not supported')
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise CurlError(3, "URL rejected: Port number was not a decimal number between 0 and 65535") from None
    if not parts.hostname:
        raise CurlError(3, "URL rejected: No host part in the URL")
    return parts.scheme, parts.hostname, port


def left(options: Options, times: Times) -> float:
    """The seconds that --max-time leaves."""
    rest = options.seconds("max_time", DEFAULT_TIMEOUT_S) - times.now()
    if rest <= 0:
        raise CurlError(28, f"Operation timed out after {times.now() * 1000:.0f} milliseconds with 0 bytes received")
    return rest


def _plug(parts: tuple[str, str, int], options: Options, times: Times) -> socket.socket:
    _, host, port = parts
    limit = min(options.seconds("connect_timeout", DEFAULT_TIMEOUT_S), left(options, times))
    last: OSError = ConnectionRefusedError()
    for family, address in _addresses(host, port, options):
        times.namelookup = times.namelookup or times.now()
        plug = socket.socket(family, socket.SOCK_STREAM)
        plug.settimeout(limit)
        try:
            plug.connect(address)
        except TimeoutError:
            raise CurlError(28, f"Connection timed out after {times.now() * 1000:.0f} milliseconds") from None
        except OSError as error:
            plug.close()
            last = error
            continue
        times.connect = times.now()
        times.remote = (str(address[0]), port) if isinstance(address, tuple) else (str(address), 0)
        trace(options, f"* Connected to {host} ({times.remote[0]}) port {port}")
        plug.settimeout(left(options, times))
        return plug
    raise CurlError(
        7, f"Failed to connect to {host} port {port} after {times.now() * 1000:.0f} ms: Couldn't connect to server"
    ) from last


def _addresses(host: str, port: int, options: Options) -> Iterable[tuple[int, Any]]:
    if options.on("unix_socket"):
        return [(socket.AF_UNIX, options.get("unix_socket"))]
    for rule in options.lists["resolve"]:
        name, at, address = rule.split(":", 2)
        if name.lstrip("+") in (host, "*") and int(at) == port:
            host = address.strip("[]")
    family = socket.AF_INET if options.on("ipv4") else socket.AF_INET6 if options.on("ipv6") else socket.AF_UNSPEC
    try:
        found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise CurlError(6, f"Could not resolve host: {host}") from None
    return [(row[0], row[4]) for row in found]


def _secure(plug: socket.socket, host: str, options: Options, times: Times) -> socket.socket:
    context = ssl.create_default_context(cafile=options.get("cacert") or None)
    if options.on("insecure"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        if options.on("cert"):
            context.load_cert_chain(options.get("cert"), options.get("key") or None)
        secured = context.wrap_socket(plug, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        raise CurlError(60, f"SSL certificate problem: {error.verify_message}") from None
    except OSError as error:
        raise CurlError(35, f"TLS connect error: {error}") from None
    times.appconnect = times.now()
    trace(options, f"* SSL connection using {secured.version()} / {(secured.cipher() or ('',))[0]}")
    return secured


def trace(options: Options, *lines: str) -> None:
    if options.on("verbose"):
        print(*lines, sep="\n", file=sys.stderr, flush=True)
