"""What of the mesh's configuration a node of the graph has: a virtual service, a fault, a circuit breaker, problems."""

from collections.abc import Iterable, Mapping
from typing import Any

from semafor.app.web.workloads import Workload, services_of
from semafor.base.problem import ObjectRef, Problem
from semafor.kube.store import Store

Doc = dict[str, Any]
Key = tuple[str, str]

_CLUSTER = ".svc.cluster.local"
_BREAKERS = ("outlierDetection", "connectionPool")


def attach(
    nodes: Iterable[Doc],
    store: Store,
    problems: Mapping[ObjectRef, tuple[Problem, ...]],
    known: Iterable[Workload],
) -> None:
    """Give each node its `badges`: words that the page draws as signs."""
    by_service = of_services(store, problems)
    services = store.list("services")[0]
    labels = {each.key: each for each in known}
    unmeshed = {(each.namespace, each.app) for each in labels.values() if not each.meshed}
    for node in nodes:
        names = set(node.get("services", ()))
        for name in (*node.get("workloads", ()), *([node["name"]] if node["kind"] == "workload" else ())):
            workload = labels.get((node["namespace"], name))
            names |= set(services_of(workload.labels, workload.namespace, services)) if workload else set()
        found = {badge for name in names for badge in by_service.get((node["namespace"], name), ())}
        if node["kind"] in ("app", "workload") and (node["namespace"], node["name"]) in unmeshed:
            found.add("no-sidecar")
        node["badges"] = sorted(found)


def of_services(store: Store, problems: Mapping[ObjectRef, tuple[Problem, ...]]) -> dict[Key, set[str]]:
    """The badges of each service, by namespace and name."""
    found: dict[Key, set[str]] = {}
    faulty = {(ref.kind, ref.namespace, ref.name) for ref, each in problems.items() if each}
    for rule in store.list("virtualservices.networking.istio.io")[0]:
        spec = rule.get("spec") or {}
        words = {"virtual-service"}
        words |= {"fault"} if any(each.get("fault") for each in spec.get("http") or ()) else set()
        _give(found, rule, spec.get("hosts") or (), words, faulty)
    for rule in store.list("destinationrules.networking.istio.io")[0]:
        spec = rule.get("spec") or {}
        policies = [spec.get("trafficPolicy") or {}, *(each.get("trafficPolicy") or {} for each in _subsets(spec))]
        breaks = any(policy.get(name) for policy in policies for name in _BREAKERS)
        _give(found, rule, [spec.get("host", "")], {"circuit-breaker"} if breaks else set(), faulty)
    return found


def _subsets(spec: Doc) -> list[Doc]:
    return spec.get("subsets") or []


def _give(found: dict[Key, set[str]], rule: Doc, hosts: Iterable[str], words: set[str], faulty: set[Any]) -> None:
    metadata = rule["metadata"]
    if (rule["kind"], metadata["namespace"], metadata["name"]) in faulty:
        words = words | {"problem"}
    for host in hosts:
        found.setdefault(service_key(host, metadata["namespace"]), set()).update(words)


def service_key(host: str, namespace: str) -> Key:
    """The Service that a host in an object of this namespace means. Wildcards and foreign hosts lead to none."""
    name, _, rest = host.removesuffix(_CLUSTER).partition(".")
    return (rest.removesuffix(".svc") or namespace, name)
