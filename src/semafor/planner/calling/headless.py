"""Headless services: the caller has chosen a pod by its address, and that pod it gets.

Differs from Istio: its original-destination clusters speak plain text. Here each pod with a sidecar gets mutual TLS:
the plan knows which pods have one, and sends to them by one cluster, to the others by its plain twin.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from semafor.base import names
from semafor.ir import Cluster, Destination, Forward, Route, RouteMatch, VirtualHost
from semafor.planner.calling import client_tls, clusters, passthrough
from semafor.planner.calling.clusters import Behind
from semafor.planner.calling.view import View
from semafor.planner.mesh import Mesh
from semafor.planner.services.instances import Instance
from semafor.planner.services.service import Port, Service
from semafor.planner.traffic.security import Security


def cluster_name(service: Service, port: Port, kind: str, *, in_mesh: bool) -> str:
    """The original-destination cluster for pods with or without a sidecar; `kind` is "http" or "tcp"."""
    direction = f"outbound-{kind}-pods" if in_mesh else f"outbound-{kind}-plain-pods"
    return names.cluster_name(direction, port.number, "", service.host)


def pods(mesh: Mesh, service: Service, port: Port) -> Iterator[tuple[Instance, int]]:
    """The service's instances, each with its own number of the port."""
    for instance in mesh.instances(service):
        if number := instance.port(port.name):
            yield instance, number


def virtual_hosts(mesh: Mesh, view: View, service: Service, port: Port) -> Iterator[VirtualHost]:
    """One for each pod that has a name of its own, such as `web-0.web.default.svc.cluster.local`."""
    for instance, _ in pods(mesh, service, port):
        if instance.hostname:
            cluster = cluster_name(service, port, "http", in_mesh=instance.in_mesh)
            action = Forward(destinations=(Destination(cluster=cluster),))
            yield VirtualHost(
                name=f"{instance.hostname}.{service.host}:{port.number}",
                domains=_domains(service, instance.hostname, port.number, view.namespace),
                routes=(Route(name="default", match=RouteMatch(), action=action, origin=service.origin),),
                origin=service.origin,
            )


def _domains(service: Service, pod: str, port: int, namespace: str) -> tuple[str, ...]:
    full = f"{pod}.{service.name}.{service.namespace}"
    bare = [f"{pod}.{service.host}", f"{full}.svc", full]
    if service.namespace == namespace:
        bare.append(f"{pod}.{service.name}")
    return tuple(name for host in bare for name in (host, f"{host}:{port}"))


def pod_clusters(mesh: Mesh, view: View, service: Service, port: Port) -> Iterator[Cluster]:
    """The original-destination clusters that the service's pods need."""
    found = tuple(instance for instance, _ in pods(mesh, service, port))
    if port.protocol.is_http:
        found = tuple(instance for instance in found if instance.hostname)
    kind = "http" if port.protocol.is_http else "tcp"
    rule = mesh.rule(service.host, view.namespace, service.namespace, view.labels)
    for in_mesh in (True, False):
        members = tuple(instance for instance in found if instance.in_mesh is in_mesh)
        if members:
            facts = clusters.behind(members, mesh.options)
            shape = clusters.outbound if port.protocol.is_http else clusters.outbound_bytes
            security = clusters.policy_of(rule, port).security or Security()
            made = client_tls.completed(mesh, shape(service, port, rule, facts), rule, security, view)
            yield _original(made, cluster_name(service, port, kind, in_mesh=in_mesh), facts)


def _original(base: Cluster, name: str, facts: Behind) -> Cluster:
    """The cluster that connects to the address that the caller chose; mutual TLS is for all of its pods or for none."""
    if base.discovery == "static":  # which leads nowhere, on purpose
        return replace(base, name=name)
    tls = base.tls
    if tls and tls.only_mesh_endpoints:
        tls = replace(tls, only_mesh_endpoints=False) if facts.all_in_mesh else None
    http = base.http
    if tls is None and http and http.version == "auto":
        http = replace(http, version="h1")  # without TLS nobody could agree on another one
    original = {"discovery": "original_dst", "balancer": passthrough.ORIGINAL, "outlier": None}
    return replace(base, name=name, tls=tls, http=http, **original)
