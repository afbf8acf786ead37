"""Broken configurations of real life (cases.yaml), as documents."""

from pathlib import Path
from typing import Any, NamedTuple

import yaml

KINDS = {
    "VS": ("networking.istio.io/v1", "VirtualService"),
    "DR": ("networking.istio.io/v1", "DestinationRule"),
    "GW": ("networking.istio.io/v1", "Gateway"),
    "SE": ("networking.istio.io/v1", "ServiceEntry"),
    "WE": ("networking.istio.io/v1", "WorkloadEntry"),
    "SC": ("networking.istio.io/v1", "Sidecar"),
    "AP": ("security.istio.io/v1", "AuthorizationPolicy"),
    "PA": ("security.istio.io/v1", "PeerAuthentication"),
    "RA": ("security.istio.io/v1", "RequestAuthentication"),
    "TE": ("telemetry.istio.io/v1", "Telemetry"),
    "SV": ("v1", "Service"),
    "PO": ("v1", "Pod"),
    "NS": ("v1", "Namespace"),
    "EF": ("networking.istio.io/v1alpha3", "EnvoyFilter"),
    "DE": ("apps/v1", "Deployment"),
    "RG": ("gateway.networking.k8s.io/v1beta1", "ReferenceGrant"),
    "HR": ("gateway.networking.k8s.io/v1", "HTTPRoute"),
}


class Case(NamedTuple):
    """`says` are words of the message; `change` and `mend` are lines `KIND name {spec}`.

    After a `|` come labels, or metadata that has labels or annotations.
    """

    title: str
    code: str
    says: str
    change: str
    mend: str


def documents(text: str) -> list[dict[str, Any]]:
    return [_document(line.strip()) for line in text.strip().splitlines()]


def _document(line: str) -> dict[str, Any]:
    short, name, rest = line.split(" ", 2)
    version, kind = KINDS[short]
    spec, _, labels = rest.partition(" | ")
    namespace, _, own = name.rpartition("/")
    metadata: dict[str, Any] = {"name": own}
    if short != "NS":
        metadata["namespace"] = namespace or "demo"
    if labels:
        found = yaml.safe_load(labels)
        metadata.update(found if {"labels", "annotations"} & found.keys() else {"labels": found})
    document = {"apiVersion": version, "kind": kind, "metadata": metadata}
    return document if short == "NS" else {**document, "spec": yaml.safe_load(rest if not labels else spec)}


CASES = tuple(Case(**each) for each in yaml.safe_load(Path(__file__).with_name("cases.yaml").read_text()))
