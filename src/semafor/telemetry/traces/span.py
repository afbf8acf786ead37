"""One span: what a proxy or an application did for one request, and how long it took."""

from typing import Any, Literal

from semafor.base.struct import Value

Kind = Literal["internal", "server", "client", "producer", "consumer"]
Json = dict[str, Any]

REQUEST_ID = "guid:x-request-id"  # the tag by which Envoy tells the request's id


class Event(Value):
    """Something that happened within a span, at a time in microseconds."""

    name: str
    time_us: int
    attributes: Json


class Span(Value):
    """Ids are lower-case hexadecimal: 32 digits of the trace, 16 of the span; `parent` is "" for the first.

    Times are in microseconds since 1970. Attributes are texts, numbers, truth values, and lists of them.
    """

    trace: str
    id: str
    parent: str
    service: str
    name: str
    kind: Kind
    start_us: int
    duration_us: int
    failed: bool
    attributes: Json
    resource: Json  # what is told of the process: attributes beside `service.name`
    events: tuple[Event, ...] = ()
    message: str = ""  # why it failed, as far as its maker says

    @property
    def end_us(self) -> int:
        return self.start_us + self.duration_us

    @property
    def request_id(self) -> str:
        found = self.attributes.get(REQUEST_ID, "")
        return found if isinstance(found, str) else ""


class Malformed(Exception):  # noqa: N818 - named for what was sent
    """What a reporter sent is no spans, and why."""
