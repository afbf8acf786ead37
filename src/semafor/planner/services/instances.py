"""Instances: the pods behind a service, with what the planner has to know of each."""

from collections.abc import Mapping

from semafor.base import names
from semafor.base import peer as peers
from semafor.base.peer import Peer
from semafor.base.struct import Value
from semafor.ir import Endpoint, EndpointSet, Locality, LocalityEndpoints
from semafor.planner.proxy import Labels
from semafor.planner.services.service import Port
from semafor.planner.traffic import locality as localities
from semafor.resources.core import node
from semafor.resources.core import pod as core
from semafor.resources.discovery import endpoint_slice as discovery

Key = tuple[str, str]  # namespace, name

SIDECAR = "istio-proxy"
GATEWAY = "router"  # the argument that makes the proxy of a pod a gateway; it answers without the mesh's TLS
_TLS_MODE_LABEL = "security.istio.io/tlsMode"
_LOCALITY_LABELS = ("topology.istio.io/locality", "istio-locality")
_NO_NODES: Mapping[Key, Locality] = {}


class Pod(Value, cache_hash=True):
    """`in_mesh`: a sidecar answers for the pod, with mutual TLS. `ports` are the named ones of a gateway's pod.

    `ready`: all of it is, as its status says. `locality` is None where its node's counts. `workload` is the Deployment,
    or what else it is one of.
    """

    labels: Labels
    service_account: str
    in_mesh: bool
    is_gateway: bool = False
    ports: tuple[tuple[str, int], ...] = ()
    ip: str = ""
    ready: bool = False
    node: str = ""
    locality: Locality | None = None
    workload: str = ""


class Address(Value, cache_hash=True):
    """One endpoint of a slice. `ports` maps the service's port names to numbers; `pod` is empty for others."""

    ip: str
    ports: tuple[tuple[str, int], ...]
    pod: Key
    ready: bool
    leaving: bool
    hostname: str
    zone: str


class Slice(Value, cache_hash=True):
    """The addresses of one EndpointSlice, and the service they are of."""

    service: Key
    addresses: tuple[Address, ...]

    @property
    def pods(self) -> tuple[Key, ...]:
        return tuple(address.pod for address in self.addresses)


class Instance(Value, cache_hash=True):
    """One address of a service that may be called now: an IP, a DNS name, or the path of a unix socket (`pipe`).

    `labels` are its pod's, and those that say where that is.
    """

    ip: str
    ports: tuple[tuple[str, int], ...]
    labels: Labels = ()
    workload: str = ""
    peer: Peer | None = None
    identity: tuple[str, str] = ("", "")  # namespace, service account; empty without a sidecar
    at_gateway: tuple[str, str] = ("", "")  # the same of a gateway, which proves it where a server of it is asked to
    hostname: str = ""
    locality: Locality = Locality()
    weight: int = 1
    pipe: str = ""
    plain: tuple[int, ...] = ()  # ports where its sidecar takes no TLS

    @property
    def in_mesh(self) -> bool:
        return self.identity != ("", "")

    def port(self, name: str) -> int:
        """The number of the named port; 0 when the instance lacks it."""
        for known, number in self.ports:
            if known == name:
                return number
        return 0


def read_pod(document: core.Pod) -> Pod:
    """What the planner needs of a pod."""
    spec = document.spec or core.PodSpec(containers=())
    proxies = [each for each in (*spec.init_containers, *spec.containers) if each.name == SIDECAR]
    labels = document.metadata.labels
    is_gateway = any(GATEWAY in each.args for each in proxies)
    return Pod(
        labels=tuple(sorted(labels.items())),
        service_account=spec.service_account_name or "default",
        in_mesh=labels.get(_TLS_MODE_LABEL) == "istio" or (bool(proxies) and not is_gateway),
        is_gateway=is_gateway,
        ports=tuple((port.name, port.container_port) for each in proxies for port in each.ports) if is_gateway else (),
        ip=document.status.pod_ip,
        ready=any(each.type == "Ready" and each.status == "True" for each in document.status.conditions),
        node=spec.node_name,
        locality=_own_locality(labels),
        workload=peers.workload(document.metadata.name, _controller(document), labels),
    )


def _controller(document: core.Pod) -> tuple[str, str]:
    """Kind and name of what made the pod."""
    found = (each for each in document.metadata.owner_references if each.controller)
    return next(((each.kind, each.name) for each in found), ("", ""))


def _own_locality(labels: Mapping[str, str]) -> Locality | None:
    """What a pod's labels say, the newer name first. Source: Istio's "Locality load balancing"."""
    said = next((labels[name] for name in _LOCALITY_LABELS if labels.get(name)), "")
    return localities.parse(said) if said else None


def read_node(document: node.Node) -> Locality:
    """Where the node is."""
    return Locality(*(document.metadata.labels.get(name, "") for name in localities.TOPOLOGY_LABELS))


def locality(pod: Pod | None, nodes: Mapping[Key, Locality]) -> Locality:
    """Where the pod is: as it says itself, or where its node is."""
    if pod is None:
        return Locality()
    return pod.locality or nodes.get(("", pod.node), Locality())


def all_labels(pod: Pod | None, nodes: Mapping[Key, Locality]) -> Labels:
    """The pod's labels, and those that say where it is."""
    if pod is None:
        return ()
    place = localities.as_labels(locality(pod, nodes), pod.node)
    return tuple(sorted({**dict(pod.labels), **dict(place)}.items()))


def read_slice(document: discovery.EndpointSlice) -> Slice:
    """What the planner needs of an EndpointSlice."""
    meta = document.metadata
    ports = tuple(sorted((port.name or "", port.port or 0) for port in document.ports))
    return Slice(
        service=(meta.namespace, meta.labels.get("kubernetes.io/service-name", "")),
        addresses=tuple(
            _address(endpoint, ip, ports, meta.namespace)
            for endpoint in document.endpoints
            for ip in endpoint.addresses
        ),
    )


def _address(endpoint: discovery.Endpoint, ip: str, ports: tuple[tuple[str, int], ...], namespace: str) -> Address:
    target, conditions = endpoint.target_ref, endpoint.conditions
    ready = conditions.ready is not False  # Kubernetes: an unknown state is to be taken as ready
    return Address(
        ip=ip,
        ports=ports,
        pod=(target.namespace or namespace, target.name) if target and target.kind == "Pod" else ("", ""),
        ready=ready,
        leaving=bool(conditions.terminating and conditions.serving),
        hostname=endpoint.hostname or "",
        zone=endpoint.zone or "",
    )


def of(
    slices: tuple[Slice, ...], pods: Mapping[Key, Pod], nodes: Mapping[Key, Locality] = _NO_NODES
) -> tuple[Instance, ...]:
    """The instances that may be called, sorted: the ready ones; while there is none, those that still serve but leave.

    Source: Kubernetes' KEP-1669, which keeps a service answering while its last pods are replaced.
    """
    addresses = [address for piece in slices for address in piece.addresses]
    usable = [a for a in addresses if a.ready] or [a for a in addresses if a.leaving]
    found = {_instance(address, pods.get(address.pod), nodes) for address in usable}
    return tuple(sorted(found, key=lambda instance: instance.ip))


def _instance(address: Address, pod: Pod | None, nodes: Mapping[Key, Locality]) -> Instance:
    return Instance(
        ip=address.ip,
        ports=address.ports,
        labels=all_labels(pod, nodes),
        workload="/".join(address.pod) if pod else "",
        peer=peers.of(pod.workload, address.pod[0], dict(pod.labels)) if pod else None,
        identity=(address.pod[0], pod.service_account) if pod and pod.in_mesh else ("", ""),
        at_gateway=(address.pod[0], pod.service_account) if pod and pod.is_gateway else ("", ""),
        hostname=address.hostname,
        locality=locality(pod, nodes) if pod else Locality(zone=address.zone),
    )


def with_labels(instances: tuple[Instance, ...], labels: Labels) -> tuple[Instance, ...]:
    """The instances of a subset."""
    for pair in labels:
        instances = tuple([instance for instance in instances if pair in instance.labels])
    return instances


def some(instances: tuple[Instance, ...], labels: Labels, port: str) -> bool:
    """Whether any instance of the subset has the port."""
    return any(each.port(port) and all(pair in each.labels for pair in labels) for each in instances)


def labels(instances: tuple[Instance, ...]) -> Mapping[str, Labels]:
    """The labels of each, by address."""
    return {instance.ip: instance.labels for instance in instances}


def identities(instances: tuple[Instance, ...], trust_domains: tuple[str, ...]) -> tuple[str, ...]:
    """The identities that a server behind these instances may prove, sorted."""
    accounts = {each for instance in instances for each in (instance.identity, instance.at_gateway) if any(each)}
    return tuple(sorted(names.spiffe_id(*account, domain) for account in accounts for domain in trust_domains))


def endpoints(cluster: str, port: Port, instances: tuple[Instance, ...]) -> EndpointSet:
    """The endpoint set of one port, grouped by locality."""
    places: dict[Locality, list[Endpoint]] = {}
    for instance in instances:
        if number := instance.port(port.name):
            places.setdefault(instance.locality, []).append(_endpoint(instance, number))
    return EndpointSet(
        cluster=cluster,
        localities=tuple(
            LocalityEndpoints(locality=place, endpoints=tuple(places[place]))
            for place in sorted(places, key=lambda place: (place.region, place.zone, place.sub_zone))
        ),
    )


def _endpoint(instance: Instance, port: int) -> Endpoint:
    return Endpoint(
        address=instance.ip,
        port=0 if instance.pipe else port,
        pipe=instance.pipe,
        weight=instance.weight,
        tls_mode="istio" if instance.in_mesh and port not in instance.plain else "",
        workload=instance.workload,
        peer=instance.peer,
    )
