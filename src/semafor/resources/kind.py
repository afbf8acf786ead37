"""What Semafor knows of a kind: one value that drives storage, REST, discovery, OpenAPI, printing and checks."""

from collections.abc import Callable, Iterable
from typing import Any, Literal

import msgspec

from semafor.base.struct import Document, Value
from semafor.resources.errors import FieldError

Defaults = Callable[[dict[str, Any]], dict[str, Any]]
Validate = Callable[[dict[str, Any]], Iterable[FieldError]]


def _as_it_is(doc: dict[str, Any]) -> dict[str, Any]:
    return doc


def _nothing(_: dict[str, Any]) -> Iterable[FieldError]:
    return ()


class Column(Value):
    """A column of `kubectl get`. `priority` above 0 means: only with `-o wide`."""

    name: str
    type: Literal["string", "integer", "date", "boolean", "number"]
    path: str
    priority: int = 0
    description: str = ""


AGE = Column(
    name="Age",
    type="date",
    path=".metadata.creationTimestamp",
    description="How long ago the object was made.",
)


LIVE = Column(
    name="Live",
    type="string",
    path=".status.conditions[?(@.type=='Live')].status",
    description="Whether every proxy has the object. Semafor's own.",
)


class Kind(Value):
    """A kind of object.

    All `versions` are served and share one schema; the first is preferred and stored. `custom` marks kinds that
    kubectl takes for CustomResourceDefinitions (merge patch, never strategic merge). `effect` is False while objects
    are stored but nothing acts on them. `defaults` returns the document with the fields that the API fills in (its
    argument is not changed), `validate` yields what the fields' own types cannot say; it sees a document whose types
    are right and which holds no nulls, but any field may be missing. `remarks` yields, in the same form, what is likely
    a mistake: it is told as a warning. `virtual` kinds are answered, never stored; `answers` are the verbs
    that these take.
    `default_name` is the name of an object that has none, for kinds whose files are commonly written without.
    `scale` is where the subresource of that name finds replicas wanted, replicas there, and their selector.
    """

    group: str
    versions: tuple[str, ...]
    kind: str
    plural: str
    document: type[Document]
    singular: str = ""
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    namespaced: bool = True
    columns: tuple[Column, ...] = ()
    subresources: tuple[str, ...] = ()
    custom: bool = False
    effect: bool = True
    virtual: bool = False
    answers: tuple[str, ...] = ("create",)
    name_rule: Literal["subdomain", "label", "1035-label", "path-segment"] = "subdomain"
    default_name: str = ""
    scale: tuple[str, str, str] = ("spec.replicas", "status.replicas", "spec.selector")
    defaults: Defaults = _as_it_is
    validate: Validate = _nothing
    remarks: Validate = _nothing

    def __post_init__(self) -> None:
        if not self.singular:
            msgspec.structs.force_setattr(self, "singular", self.kind.lower())

    def api_version(self, version: str | None = None) -> str:
        """The document's apiVersion, such as "apps/v1", or "v1" in the core group."""
        version = version or self.versions[0]
        return f"{self.group}/{version}" if self.group else version

    @property
    def resource(self) -> str:
        """The name of the collection across all groups: "deployments.apps", or "pods" in the core group."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def list_kind(self) -> str:
        return f"{self.kind}List"
