"""Which rules are for a workload or a service, and why. Read off objects, by Istio's ways of choosing."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from semafor.app.web import badges, config
from semafor.app.web.workloads import Workload
from semafor.kube.store import Store
from semafor.resources.kind import Kind

Doc = dict[str, Any]

_ROOT = "istio-system"
_BY_HOSTS = frozenset({"VirtualService", "ServiceEntry"})
_BY_HOST = frozenset({"DestinationRule"})
_BY_SELECTOR = frozenset(
    {"AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication", "Telemetry", "EnvoyFilter", "WasmPlugin"}
    | {"Sidecar", "ProxyConfig"}
)


class Rule(NamedTuple):
    """A rule, and in a word what it is for: `mesh`, `namespace`, `workload` or `service`."""

    kind: Kind
    obj: Doc
    why: str


def of_workload(store: Store, workload: Workload, services: list[str]) -> list[Rule]:
    """What is for the workload itself, its namespace, the mesh, and for the services that lead to it."""
    chosen = [
        Rule(kind, obj, why)
        for kind, obj in _objects(store, _BY_SELECTOR)
        if (why := _chooses(obj, workload.namespace, workload.labels))
    ]
    return [*chosen, *(rule for name in services for rule in of_service(store, workload.namespace, name))]


def of_service(store: Store, namespace: str, name: str) -> list[Rule]:
    """What is for the service by its host."""
    return [
        Rule(kind, obj, "service")
        for kind, obj in _objects(store, _BY_HOSTS | _BY_HOST)
        if (namespace, name) in {badges.service_key(host, obj["metadata"]["namespace"]) for host in _hosts(obj)}
    ]


def subsets(store: Store, namespace: str, name: str) -> dict[str, str]:
    """The subsets of the service that choose a version and nothing else: version -> name."""
    found: dict[str, str] = {}
    for rule in of_service(store, namespace, name):
        for subset in (rule.obj.get("spec") or {}).get("subsets") or ():
            labels = subset.get("labels") or {}
            if set(labels) == {"version"}:
                found.setdefault(labels["version"], subset["name"])
    return found


def _objects(store: Store, kinds: frozenset[str]) -> Iterator[tuple[Kind, Doc]]:
    for kind in config.KINDS:
        if kind.kind in kinds and kind.group.endswith("istio.io"):
            yield from ((kind, obj) for obj in store.list(kind.resource)[0])


def _hosts(obj: Doc) -> list[str]:
    spec = obj.get("spec") or {}
    return [*(spec.get("hosts") or ()), *([spec["host"]] if spec.get("host") else ())]


def _chooses(obj: Doc, namespace: str, labels: Mapping[str, str]) -> str:
    """What the object is for, if that holds the workload; "" if not."""
    own, spec = obj["metadata"]["namespace"], obj.get("spec") or {}
    if own not in (namespace, _ROOT) or spec.get("targetRefs") or spec.get("targetRef"):
        return ""
    selector = spec.get("selector") or spec.get("workloadSelector") or {}
    wanted = selector.get("matchLabels") or selector.get("labels") or {}
    if not wanted.items() <= labels.items():
        return ""
    return "workload" if wanted else "mesh" if own == _ROOT else "namespace"
