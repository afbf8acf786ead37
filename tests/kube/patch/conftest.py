"""A Deployment in small: every kind of list and map that patches must tell apart."""

from typing import Annotated, Any

import msgspec
import pytest

from semafor.base.struct import Document
from semafor.resources import shape
from semafor.resources.marks import ATOMIC, MERGED_SET, OPEN, RETAIN_KEYS, listing
from semafor.resources.meta.meta import ObjectMeta


class Port(Document):
    container_port: int
    protocol: str = "TCP"
    name: str = ""


class Env(Document):
    name: str
    value: str = ""


class Container(Document):
    name: str
    image: str = ""
    args: tuple[str, ...] = ()
    env: Annotated[tuple[Env, ...], listing("name", patch_key="name")] = ()
    ports: Annotated[tuple[Port, ...], listing("containerPort", "protocol", patch_key="containerPort")] = ()


class Strategy(Document):
    type: str = ""
    rolling_update: dict[str, int | str] | None = None


class Template(Document):
    metadata: ObjectMeta = ObjectMeta()
    containers: Annotated[tuple[Container, ...], listing("name", patch_key="name")] = ()
    node_selector: Annotated[dict[str, str], ATOMIC] = msgspec.field(default_factory=dict)


class Spec(Document):
    replicas: int | None = None
    paused: bool = False
    strategy: Annotated[Strategy | None, RETAIN_KEYS] = None
    tags: Annotated[tuple[str, ...], MERGED_SET] = ()
    template: Template | None = None
    free: Annotated[Any, OPEN] = None


class Status(Document):
    ready: int = 0


class Thing(Document):
    api_version: str = ""
    kind: str = ""
    metadata: ObjectMeta = ObjectMeta()
    spec: Spec | None = None
    status: Status | None = None
    data: dict[str, str] = msgspec.field(default_factory=dict)


@pytest.fixture(scope="session")
def schema() -> shape.Shape:
    return shape.of_struct(Thing)
