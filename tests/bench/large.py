"""Meshes of any size, as documents and as typed objects: every service has pods, and a rule for its routes."""

from collections.abc import Iterator
from typing import Any

from semafor import resources
from semafor.planner.services.instances import SIDECAR
from semafor.resources.core import pod, service
from semafor.resources.discovery import endpoint_slice
from semafor.resources.istio import destination_rule, virtual_service
from semafor.resources.kind import Kind

Doc = dict[str, Any]
PODS = 10  # of a service
SERVICES_OF_A_NAMESPACE = 20
_LABELS = {"security.istio.io/tlsMode": "istio"}


def namespace(number: int) -> str:
    return f"ns-{number // SERVICES_OF_A_NAMESPACE}"


def host(number: int) -> str:
    return f"svc-{number}.{namespace(number)}.svc.cluster.local"


def documents(services: int) -> Iterator[tuple[Kind, Doc]]:
    """The objects of that many services, with as many VirtualServices and DestinationRules."""
    for number in range(services):
        yield service.KIND, _service(number)
        for index in range(PODS):
            yield pod.KIND, _pod(number, index)
        yield endpoint_slice.KIND, endpoints(number)
        yield destination_rule.KIND, _subsets(number)
        yield virtual_service.KIND, split(number)


def typed(services: int) -> Iterator[Any]:
    """The same, decoded."""
    return (resources.decode(kind, document) for kind, document in documents(services))


def _named(kind: Kind, number: int, name: str = "", **more: Any) -> Doc:
    meta = {"name": name or f"svc-{number}", "namespace": namespace(number), "labels": {}, **more}
    return {"apiVersion": kind.api_version(), "kind": kind.kind, "metadata": meta}


def address(number: int, index: int) -> str:
    place = number * PODS + index
    return f"10.{100 + place // 65_536}.{place // 256 % 256}.{place % 256}"


def _service(number: int) -> Doc:
    cluster_ip = f"10.96.{number // 256 % 256}.{number % 256}"
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    spec = {"clusterIP": cluster_ip, "selector": {"app": f"svc-{number}"}, "ports": ports}
    return {**_named(service.KIND, number), "spec": spec}


def _pod(number: int, index: int) -> Doc:
    """One of a Deployment's for each version, as most pods are."""
    version = f"v{1 + index % 2}"
    labels = {**_LABELS, "app": f"svc-{number}", "version": version, "pod-template-hash": "5d4f"}
    maker = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"svc-{number}-{version}-5d4f", "uid": "1"}
    owners = [{**maker, "controller": True}]
    meta = _named(pod.KIND, number, f"svc-{number}-{index}", labels=labels, ownerReferences=owners)
    containers = [{"name": SIDECAR, "image": "proxy"}, {"name": "app", "image": "app"}]
    return {**meta, "spec": {"containers": containers}}


def endpoints(number: int, *, gone: int = 0) -> Doc:
    """All pods of the service but the last ones."""
    space = namespace(number)
    found = [
        {
            "addresses": [address(number, index)],
            "conditions": {"ready": True},
            "targetRef": {"kind": "Pod", "name": f"svc-{number}-{index}", "namespace": space},
        }
        for index in range(PODS - gone)
    ]
    labels = {"kubernetes.io/service-name": f"svc-{number}"}
    ports = [{"name": "http", "port": 8080}]
    return {
        **_named(endpoint_slice.KIND, number, labels=labels),
        "addressType": "IPv4",
        "ports": ports,
        "endpoints": found,
    }


def _subsets(number: int) -> Doc:
    subsets = [{"name": f"v{one}", "labels": {"version": f"v{one}"}} for one in (1, 2)]
    return {**_named(destination_rule.KIND, number), "spec": {"host": f"svc-{number}", "subsets": subsets}}


def split(number: int, *, weight: int = 90, routes: int = 1, name: str = "") -> Doc:
    """A rule for the service: some routes by path, and shares for the rest."""
    shares = [
        {"destination": {"host": f"svc-{number}", "subset": f"v{one}"}, "weight": share}
        for one, share in ((1, weight), (2, 100 - weight))
    ]
    to_second = {"destination": {"host": f"svc-{number}", "subset": "v2"}}
    by_path = [{"match": [{"uri": {"prefix": f"/path/{index}"}}], "route": [to_second]} for index in range(routes)]
    spec = {"hosts": [f"svc-{number}"], "http": [*by_path, {"route": shares}]}
    return {**_named(virtual_service.KIND, number, name), "spec": spec}
