"""The doors through which the page looks at the mesh: objects, what the pipeline knows, metrics, the pods' logs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from semafor.app.tracing.traces import Traces
from semafor.base.problem import ObjectRef, Problem
from semafor.kube.api.node import Node
from semafor.kube.api.objects import Objects
from semafor.kube.api.options import Authenticate
from semafor.resources.kind import Kind

Doc = dict[str, Any]


class Sample(NamedTuple):
    """One row of an instant query's answer."""

    labels: Mapping[str, str]
    value: float


class Series(NamedTuple):
    """One row of a range query's answer; points are (seconds since 1970, value)."""

    labels: Mapping[str, str]
    points: Sequence[tuple[float, float]]


class Metrics(Protocol):
    """Answers PromQL. A query that cannot be answered raises ValueError with a sentence."""

    async def query(self, expr: str, at: float) -> Sequence[Sample]: ...

    async def query_range(self, expr: str, start: float, end: float, step: float) -> Sequence[Series]: ...


class NoMetrics:
    """Metrics of a mesh that keeps none: every answer is empty."""

    async def query(self, expr: str, at: float) -> Sequence[Sample]:  # noqa: ARG002 - nothing is known of anything
        return ()

    async def query_range(self, expr: str, start: float, end: float, step: float) -> Sequence[Series]:  # noqa: ARG002
        return ()


class Control(Protocol):
    """What the control plane says of itself (`app.pipeline.Pipeline`)."""

    def problems(self) -> Mapping[ObjectRef, tuple[Problem, ...]]: ...

    def proxies(self) -> list[Doc]: ...

    def judge(self, kind: Kind, obj: Doc) -> tuple[Problem, ...]:
        """What would be wrong with the object if it were applied now. Raises resources.DecodeError."""


@dataclass(frozen=True)
class Standing:
    """How the control plane does: its certificate authority, when each proxy's certificate ends, and its own figures.

    `leaves` is by proxy, `NAMESPACE/NAME`; `figures` are numbers by name.
    """

    authority: Mapping[str, Any] = field(default_factory=dict)
    leaves: Mapping[str, datetime] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Sources:
    """Everything the page reads. `name` is the mesh's, `now` seconds since 1970.

    `standing` tells how the control plane itself does; `questions` are the routes of `app.questions`, `prometheus`
    answers Prometheus's API.
    """

    name: str
    objects: Objects
    control: Control
    authenticate: Authenticate
    now: Callable[[], float]
    metrics: Metrics = field(default_factory=NoMetrics)
    node: Node | None = None
    traces: Traces | None = None
    standing: Callable[[], Standing] = lambda: Standing()  # noqa: PLW0108 - a new one each time
    questions: Sequence[BaseRoute] = ()
    prometheus: ASGIApp | None = None
