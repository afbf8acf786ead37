"""Event: something that happened to an object. Source: Kubernetes' API reference."""

from collections.abc import Iterator
from typing import Annotated, Any

from semafor.base.struct import Document
from semafor.resources import errors
from semafor.resources.core.refs import ObjectReference
from semafor.resources.errors import FieldError
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC, Time
from semafor.resources.meta.meta import ObjectMeta


class EventSource(Document):
    """Who reports an event."""

    component: Annotated[str, "Program that reports."] = ""
    host: Annotated[str, "Node that it reports from."] = ""


class EventSeries(Document):
    """How often an event was repeated."""

    count: Annotated[int, "How often."] = 0
    last_observed_time: Annotated[Time | None, "When it was last seen."] = None


class Event(Document):
    """Something that happened to an object."""

    involved_object: Annotated[ObjectReference, ATOMIC, "The object."]
    api_version: Annotated[str, "API version of the object."] = "v1"
    kind: Annotated[str, "Kind of the object."] = "Event"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    reason: Annotated[str, "A CamelCase word for why it is so."] = ""
    message: Annotated[str, "The same for people."] = ""
    source: Annotated[EventSource, "Who reports it. Use the reporting fields."] = EventSource()
    first_timestamp: Annotated[Time | None, "When it was first seen."] = None
    last_timestamp: Annotated[Time | None, "When it was last seen."] = None
    count: Annotated[int, "How often it was seen."] = 0
    type: Annotated[str, "Normal or Warning."] = ""
    event_time: Annotated[Time | None, "When it was first seen, to the microsecond."] = None
    series: Annotated[EventSeries | None, "How often it was repeated."] = None
    action: Annotated[str, "What was done or failed."] = ""
    related: Annotated[ObjectReference | None, ATOMIC, "A second object that it is about."] = None
    reporting_component: Annotated[str, "Program that reports."] = ""
    reporting_instance: Annotated[str, "Which instance of the program."] = ""


def validate(doc: dict[str, Any]) -> Iterator[FieldError]:
    """An event is in the namespace of what it is about; in `default` when that has none."""
    about, home = doc.get("involvedObject", {}).get("namespace", ""), doc.get("metadata", {}).get("namespace", "")
    if home and home != (about or "default"):
        yield errors.invalid("involvedObject.namespace", about, "does not match event.namespace")


KIND = Kind(
    group="",
    versions=("v1",),
    kind="Event",
    plural="events",
    document=Event,
    short=("ev",),
    validate=validate,
)
