"""What a hostile caller says, byte by byte, and an application that believes all that reaches it."""

import asyncio
from contextlib import asynccontextmanager, suppress

import h2.config
import h2.connection
import h2.errors
import h2.events

ANSWER_S = 5.0
INNER = b"GET /smuggled HTTP/1.1\r\nHost: app\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: app\r\n"
POST = b"POST / HTTP/1.1\r\nHost: app\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


# Each is one request for Envoy, and two for whoever reads it in another way.
SMUGGLED = {
    "CL.TE": POST + b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % (5 + len(INNER)) + INNER,
    "TE.CL": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n" + chunk(INNER) + b"0\r\n\r\n",
    "TE.TE": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n\r\n0\r\n\r\n" + INNER,
    "TE with a vertical tab": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n" + INNER,
    "TE with a space before the colon": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + INNER,
    "TE in two lines": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + INNER,
    "TE identity and CL": POST + b"Transfer-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc" + INNER,
    "TE chunked, identity": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + INNER,
    "two lengths": POST + b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(INNER) + INNER,
    "a list of lengths": POST + b"Content-Length: 0, %d\r\n\r\n" % len(INNER) + INNER,
    "a signed length": POST + b"Content-Length: +0\r\n\r\n" + INNER,
    "a negative length": POST + b"Content-Length: -1\r\n\r\n" + INNER,
    "a length of hexadecimal digits": POST + b"Content-Length: 0x0\r\n\r\n" + INNER,
    "a length with a space before the colon": POST + b"Content-Length : %d\r\n\r\n" % len(INNER) + INNER,
    "a folded header": GET + b"X-Note: a\r\n Content-Length: 0\r\n\r\n" + INNER,
    "a bare CR": GET + b"X-Note: a\rTransfer-Encoding: chunked\r\n\r\n" + INNER,
    "a NUL": GET + b"X-Note: a\x00b\r\n\r\n" + INNER,
    "a chunk size that overflows": POST + b"Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n" + INNER,
    "a chunk size with a sign": POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n" + INNER,
    "a chunk that ends in a bare LF": POST + b"Transfer-Encoding: chunked\r\n\r\n1\nZ\n0\n\n" + INNER,
    "two hosts": GET + b"Host: other\r\n\r\n" + INNER,
    "no host": b"GET / HTTP/1.1\r\n\r\n" + INNER,
    "a space in the name": GET + b"X Note: a\r\n\r\n" + INNER,
    "a header without a colon": GET + b"Nonsense\r\n\r\n" + INNER,
    "a path with a space": b"GET / a HTTP/1.1\r\nHost: app\r\n\r\n" + INNER,
    "a method with a colon": b"GE:T / HTTP/1.1\r\nHost: app\r\n\r\n" + INNER,
    "HTTP/1.0 with TE": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + INNER,
    "an upgrade to h2c": GET + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk"
    + b"\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "an upgrade to nonsense": GET + b"Connection: Upgrade\r\nUpgrade: nonsense\r\n\r\n" + INNER,
    "a connection to elsewhere": b"CONNECT app:80 HTTP/1.1\r\nHost: app:80\r\n\r\n" + INNER,
}  # fmt: skip

# What HTTP/2 can say and HTTP/1.1 cannot: headers of a request for `/`, besides the usual.
PSEUDO = {":method": "POST", ":path": "/", ":scheme": "http", ":authority": "app"}
SMUGGLED_H2 = {
    "a path with a line break": {":path": "/ HTTP/1.1\r\nHost: app\r\n\r\nGET /smuggled HTTP/1.1\r\nX: y"},
    "a path with a space": {":path": "/ HTTP/1.1"},
    "an empty path": {":path": ""},
    "a method with a line break": {":method": "GET / HTTP/1.1\r\nHost: app\r\n\r\nGET /smuggled"},
    "a method with a space": {":method": "GET /smuggled"},
    "an authority with a line break": {":authority": "app\r\nX: y"},
    "an authority with a user": {":authority": "app@other/"},
    "a value with a line break": {"x": "a\r\n\r\nGET /smuggled HTTP/1.1"},
    "a value with a NUL": {"x": "a\x00b"},
    "a name with a line break": {"x: y\r\nz": "a"},
    "a name with a colon": {"x:y": "a"},
    "a name with a capital": {"X-Note": "a"},
    "a transfer encoding": {"transfer-encoding": "chunked"},
    "a connection header": {"connection": "keep-alive"},
    "an upgrade": {"upgrade": "h2c", "connection": "upgrade"},
    "TE that is not trailers": {"te": "chunked"},
    "a length that is not that of the body": {"content-length": "4"},
    "two lengths": {"content-length": "0, 4"},
    "an unknown pseudo-header": {":secret": "a"},
}


class Naive:
    """Takes everything for a request that looks like one, as a careless server does."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []

    @property
    def lines(self) -> list[str]:
        return [head.partition(b"\r\n")[0].decode("latin-1") for head in self.heads]

    def headers(self) -> dict[str, str]:
        """Of the last request."""
        pairs = (line.split(": ", 1) for line in self.heads[-1].decode("latin-1").split("\r\n")[1:] if ": " in line)
        return {name.lower(): value for name, value in pairs}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError, ValueError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.heads.append(head)
                headers = self.headers()
                if "chunked" in headers.get("transfer-encoding", ""):
                    while size := int((await reader.readline()).split(b";")[0], 16):
                        await reader.readexactly(size + 2)
                    await reader.readline()
                else:
                    await reader.readexactly(int(headers.get("content-length", 0)))
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                await writer.drain()
        writer.close()


@asynccontextmanager
async def naive():
    """The application and its port."""
    app = Naive()
    server = await asyncio.start_server(app.serve, "127.0.0.1", 0)
    try:
        yield app, server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def listening(port: int) -> None:
    """Wait until somebody takes connections there: Envoy says that it has a listener a moment before it listens."""
    async with asyncio.timeout(20):
        while True:
            with suppress(ConnectionRefusedError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.02)


async def say(port: int, said: bytes, *, enough_s: float = ANSWER_S) -> bytes:
    """All that is answered to these bytes until the connection is closed, or nothing comes any more."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    with suppress(TimeoutError, ConnectionError):
        writer.write(said)
        async with asyncio.timeout(enough_s):
            while b"\r\n\r\n" not in answer and (piece := await reader.read(65536)):
                answer += piece
        # After a refusal Envoy reads no more; after an answer there may be another.
        while answer.startswith(b"HTTP/1.1 200") and (piece := await asyncio.wait_for(reader.read(65536), 0.3)):
            answer += piece
    writer.close()
    return answer


def codes(answer: bytes) -> list[int]:
    """The status codes of the answers in it."""
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]


class H2:
    """A client of HTTP/2 without manners. `async with H2.connected(port) as caller`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        config = h2.config.H2Configuration(
            client_side=True,
            header_encoding="utf-8",
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
            validate_inbound_headers=False,
        )
        self.state = h2.connection.H2Connection(config)
        self.closed = False
        self.statuses: dict[int, str] = {}
        self.reset: set[int] = set()
        self.settings: dict[int, int] = {}
        self._reader, self._writer = reader, writer

    @classmethod
    @asynccontextmanager
    async def connected(cls, port: int):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        caller = cls(reader, writer)
        caller.state.initiate_connection()
        await caller.send()
        try:
            yield caller
        finally:
            writer.close()

    async def send(self, raw: bytes = b"") -> None:
        """What the state machine has to say, and any bytes."""
        with suppress(ConnectionError):
            self._writer.write(self.state.data_to_send() + raw)
            await self._writer.drain()

    async def ask(self, changed: dict[str, str] | None = None, body: bytes = b"") -> int:
        """A request; the number of its stream."""
        number = self.state.get_next_available_stream_id()
        self.state.send_headers(number, list((PSEUDO | (changed or {})).items()), end_stream=not body)
        if body:
            self.state.send_data(number, body, end_stream=True)
        await self.send()
        return number

    async def hear(self, until, *, seconds: float = ANSWER_S) -> bool:
        """Read until `until()` is true; False when that does not happen."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not until():
                    if not await self._read():
                        break
        return bool(until())

    async def _read(self) -> bool:
        try:
            data = await self._reader.read(65536)
        except ConnectionError:
            data = b""
        if not data:
            self.closed = True
            return False
        for event in self.state.receive_data(data):
            self._note(event)
        await self.send()
        return True

    def _note(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.ConnectionTerminated():
                self.closed = True
            case h2.events.StreamReset(stream_id=number):
                self.reset.add(number or 0)
            case h2.events.ResponseReceived(stream_id=number, headers=headers):
                self.statuses[number or 0] = dict(headers)[":status"]
            case h2.events.RemoteSettingsChanged(changed_settings=settings):
                self.settings |= {int(code): change.new_value for code, change in settings.items()}


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """A frame of HTTP/2, as its bytes."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


# What floods a server: frames that cost the sender nothing and want an answer, or never come to an end.
FLOODS = {
    "pings": frame(6, 0, 0, b"flooding") * 20_000,
    "settings": frame(4, 0, 0) * 20_000,
    "empty frames of data": frame(1, 4, 1, bytes.fromhex("82868441820b1f")) + frame(0, 0, 1) * 200,
    "continuations": frame(1, 0, 1, bytes.fromhex("828684"))
    + frame(9, 0, 1, b"\x40\x01a\x7f\x80\x01" + b"b" * 255) * 2000,
    "priorities": frame(2, 0, 1, bytes(5)) * 20_000,
    "window updates": frame(8, 0, 0, b"\0\0\0\1") * 50_000,
}  # fmt: skip
