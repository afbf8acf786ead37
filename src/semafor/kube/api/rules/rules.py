"""The roles that a kind's rules can play."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from semafor.resources.errors import FieldError

Doc = dict[str, Any]

SERVICE_NETWORK = IPv4Network("10.96.0.0/16")
NODE_PORTS = range(30_000, 32_768)


class Refused(Exception):  # noqa: N818 - a verdict, caught by `objects`
    """What the object asks for cannot be given."""

    def __init__(self, error: FieldError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(frozen=True, slots=True)
class Ground:
    """What a rule may look at beside the object. `heads` lists a resource's objects as the next write finds them."""

    heads: Callable[[str], list[Doc]]
    tail: str  # five random letters, for generated names
    time: str  # now, as documents have it
    service_network: IPv4Network = SERVICE_NETWORK
    node_ports: range = NODE_PORTS


def _as_it_is(new: Doc, _: Doc | None, __: Ground) -> Doc:
    return new


def _nothing_wrong(_: Doc, __: Doc | None) -> Iterable[FieldError]:
    return ()


@dataclass(frozen=True, slots=True)
class Rules:
    """A kind's own rules; the old document is None when the object is new.

    `complete` runs before admission. `allocate` runs after it, right before the write, so that two writers cannot be
    given the same thing; it may raise Refused. `check` yields what is wrong with the change.
    """

    complete: Callable[[Doc, Doc | None, Ground], Doc] = _as_it_is
    allocate: Callable[[Doc, Doc | None, Ground], Doc] = _as_it_is
    check: Callable[[Doc, Doc | None], Iterable[FieldError]] = _nothing_wrong


def at(doc: Doc | None, path: str) -> Any:
    """The value at a dotted path, None when a part is missing."""
    value: Any = doc
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value
