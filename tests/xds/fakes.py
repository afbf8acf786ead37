"""An Envoy that only speaks delta xDS, in memory: it keeps what it is told and answers as Envoy 1.40 does."""

from collections.abc import Callable

from semafor.base import protobuf, xds
from semafor.base.xds import CLUSTER, ENDPOINTS, LISTENER, ROUTES, Resources
from semafor.xds import session, wire

EMPTY = "0"  # the body of endpoints of nobody


def resource(type_url: str, name: str, body: str = "1", needs: tuple[tuple[str, str], ...] = ()) -> xds.Resource:
    return xds.resource(type_url, name, body.encode(), is_empty=body == EMPTY, needs=needs)


def resources(*, clusters="", endpoints="", listeners="", routes="", secrets="") -> Resources:
    """Resources from words: `clusters="a b=2"` is the cluster a with the body 1 and the cluster b with the body 2."""
    words = ((CLUSTER, clusters), (ENDPOINTS, endpoints), (LISTENER, listeners), (ROUTES, routes))
    return Resources.of(
        resource(type_url, name, body or "1")
        for type_url, text in (*words, (xds.SECRET, secrets))
        for name, _, body in (word.partition("=") for word in text.split())
    )


class Response:
    """A DeltaDiscoveryResponse, read back."""

    def __init__(self, raw: bytes) -> None:
        fields = list(protobuf.fields(raw))
        self.type_url = next(value for number, value in fields if number == 4).decode()
        self.nonce = next(value for number, value in fields if number == 5).decode()
        self.removed = [value.decode() for number, value in fields if number == 6]
        framed = [dict(protobuf.fields(value)) for number, value in fields if number == 2]
        self.versions = {frame[3].decode(): frame[1].decode() for frame in framed}
        self.bodies = {frame[3].decode(): dict(protobuf.fields(frame[2]))[2].decode() for frame in framed}

    def __repr__(self) -> str:
        kind = self.type_url.rpartition(".")[2]
        words = [f"{name}={body}" for name, body in self.bodies.items()] + [f"-{name}" for name in self.removed]
        return " ".join([kind, *words])


class FakeEnvoy:
    """Drives a Session. `log` is what it was told, one text per response, in order.

    `refuses` gives the error message for a response that it does not like. With `automatic` False it acknowledges
    nothing until `acknowledge` is called.
    """

    def __init__(self, refuses: Callable[[Response], str | None] = lambda _: None, *, automatic: bool = True) -> None:
        self.session = session.Session()
        self.log: list[str] = []
        self.events: list[session.Event] = []
        self.has: dict[str, dict[str, str]] = {}
        self.waiting: list[Response] = []
        self._refuses = refuses
        self._automatic = automatic

    def offer(self, target: Resources, generation: int) -> "FakeEnvoy":
        self.session.offer(target, generation)
        return self._pump()

    def subscribe(self, type_url: str, *names: str, versions: dict[str, str] | None = None) -> "FakeEnvoy":
        request = wire.Request(type_url=type_url, subscribe=names, initial_versions=tuple((versions or {}).items()))
        return self.send(request)

    def start(self) -> "FakeEnvoy":
        """The first two requests of every Envoy."""
        return self.subscribe(CLUSTER).subscribe(LISTENER)

    def send(self, request: wire.Request) -> "FakeEnvoy":
        self.session.receive(request)
        return self._pump()

    def acknowledge(self, type_url: str) -> "FakeEnvoy":
        """Answer the oldest unanswered response of this type."""
        response = next(response for response in self.waiting if response.type_url == type_url)
        self.waiting.remove(response)
        return self._answer(response)._pump()

    def reconnect(self) -> "FakeEnvoy":
        """Lose the stream; on the new one, say what is here already, type by type."""
        self.session, self.waiting, self.log = session.Session(), [], []
        return self

    def _answer(self, response: Response) -> "FakeEnvoy":
        error = self._refuses(response)
        if error is None:
            held = self.has.setdefault(response.type_url, {})
            held.update(response.versions)
            for name in response.removed:
                held.pop(name, None)
        self.session.receive(wire.Request(type_url=response.type_url, nonce=response.nonce, error=error))
        return self

    def _pump(self) -> "FakeEnvoy":
        """Exchange messages until both sides are quiet."""
        while True:
            step = self.session.poll()
            self.events += step.events
            arrived = [Response(raw) for raw in step.responses]
            if not arrived:
                return self
            self.log += [repr(response) for response in arrived]
            if self._automatic:
                for response in arrived:
                    self._answer(response)
            else:
                self.waiting += arrived

    def told(self) -> list[str]:
        """What it was told since the last time this was asked."""
        log, self.log = self.log, []
        return log
