"""Event of the newer API: something that happened to an object. Source: Kubernetes' API reference."""

from typing import Annotated

from semafor.base.struct import Document
from semafor.resources.core.event import EventSource
from semafor.resources.core.refs import ObjectReference
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC, Time
from semafor.resources.meta.meta import ObjectMeta


class EventSeries(Document):
    """How often an event was repeated."""

    count: Annotated[int, "How often."] = 0
    last_observed_time: Annotated[Time | None, "When it was last seen."] = None


class Event(Document):
    """Something that happened to an object."""

    event_time: Annotated[Time, "When it was first seen, to the microsecond."]
    api_version: Annotated[str, "API version of the object."] = "events.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "Event"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    series: Annotated[EventSeries | None, "How often it was repeated."] = None
    reporting_controller: Annotated[str, "Program that reports."] = ""
    reporting_instance: Annotated[str, "Which instance of the program."] = ""
    action: Annotated[str, "What was done or failed."] = ""
    reason: Annotated[str, "A CamelCase word for why it is so."] = ""
    regarding: Annotated[ObjectReference, ATOMIC, "The object."] = ObjectReference()
    related: Annotated[ObjectReference | None, ATOMIC, "A second object that it is about."] = None
    note: Annotated[str, "What happened, for people."] = ""
    type: Annotated[str, "Normal or Warning."] = ""
    deprecated_source: Annotated[EventSource, "Who reports it, in the old form."] = EventSource()
    deprecated_first_timestamp: Annotated[Time | None, "When it was first seen, in the old form."] = None
    deprecated_last_timestamp: Annotated[Time | None, "When it was last seen, in the old form."] = None
    deprecated_count: Annotated[int, "How often it was seen, in the old form."] = 0


KIND = Kind(group="events.k8s.io", versions=("v1",), kind="Event", plural="events", short=("ev",), document=Event)
