"""From an installation to its objects. A chart makes those of one component; what all have in common is done here."""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from semafor.installation import workloads
from semafor.installation.spec import Component, Installation

Doc = dict[str, Any]
Chart = Callable[[Installation, Component], tuple[Doc, ...]]

OWNER = "install.operator.istio.io/owning-resource"  # Istio's labels of what an installation has made
COMPONENT = "operator.istio.io/component"
MANAGED = "operator.istio.io/managed"
REVISION = "istio.io/rev"
_WORDS = {"pilot": "Pilot", "ingressGateways": "IngressGateways", "egressGateways": "EgressGateways", "base": "Base"}
_ORDER = ("Namespace", "CustomResourceDefinition", "ServiceAccount", "ConfigMap")  # what others need comes first


class Part(NamedTuple):
    """The objects of one component."""

    component: Component
    documents: tuple[Doc, ...]

    @property
    def word(self) -> str:
        """Istio's name of the component, with a gateway's own name: `IngressGateways`."""
        return _WORDS[self.component.kind]


def render(installation: Installation, charts: Mapping[str, Chart]) -> tuple[Part, ...]:
    """The objects of each component that is on, in the order in which they can be made. Raises paths.WrongPath."""
    made = []
    for component in installation.components:
        documents = charts[component.kind](installation, component)
        configured = workloads.configured(documents, component)
        labelled = sorted((_labelled(each, installation, component) for each in configured), key=_place)
        made.append(Part(component, tuple(labelled)))
    return tuple(made)


def _place(document: Doc) -> int:
    return _ORDER.index(document["kind"]) if document["kind"] in _ORDER else len(_ORDER)


def _labelled(document: Doc, installation: Installation, component: Component) -> Doc:
    own = {
        OWNER: installation.name,
        COMPONENT: _WORDS[component.kind],
        MANAGED: "Reconcile",
        REVISION: installation.revision or "default",
    }
    metadata = document["metadata"]
    return {**document, "metadata": {**metadata, "labels": {**(metadata.get("labels") or {}), **own}}}


def field(path: str) -> str:
    """A field of an object in the words of people who read of it: lists without their numbers."""
    return re.sub(r"\[\d+\]", "", path)
