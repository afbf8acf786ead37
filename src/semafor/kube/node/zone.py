"""The cluster's names: which records a name has, from Services and EndpointSlices. No I/O; every lookup is a few dicts.

    SERVICE.NAMESPACE.svc.cluster.local              cluster IP; headless: the ready endpoints; ExternalName: CNAME
    HOST.SERVICE.NAMESPACE.svc.cluster.local         one endpoint, by its host name or by 10-244-0-7
    _PORT._PROTOCOL.SERVICE.NAMESPACE.svc...         SRV
    10-244-0-7.NAMESPACE.pod.cluster.local           the address that the name spells
    7.0.244.10.in-addr.arpa                          PTR

Source: "Kubernetes DNS-Based Service Discovery", version 1.1.0.
"""

from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Any, Literal

from semafor.base.names import CLUSTER_DOMAIN
from semafor.base.struct import Value

Json = dict[str, Any]
Key = tuple[str, str]  # namespace, service

SERVICE_LABEL = "kubernetes.io/service-name"
SCHEMA_VERSION = "1.1.0"
_SVC, _POD = f".svc.{CLUSTER_DOMAIN}", f".pod.{CLUSTER_DOMAIN}"
_REVERSE = ".in-addr.arpa"


class Record(Value):
    """A record of the asked name. `data` is an address, a name, or `PORT NAME` for SRV."""

    type: Literal["A", "CNAME", "SRV", "PTR", "TXT"]
    data: str


class Found(Value):
    """What the zone knows of a name: all its records, of any type. None of the asked type means NODATA."""

    records: tuple[Record, ...] = ()


class _Endpoint(Value):
    address: str
    host: str  # its host name, else its address with dashes
    ports: tuple[tuple[str, str, int], ...]  # name, protocol, number


class Zone:
    """The records of one cluster. Names are lower case and without the final dot."""

    def __init__(self, pods: str, services: str) -> None:
        self._networks = (IPv4Network(pods), IPv4Network(services))
        self._services: dict[Key, Json] = {}
        self._slices: dict[Key, dict[str, Json]] = {}
        self._namespaces: dict[str, int] = {}
        self._service_by_ip: dict[str, Key] = {}

    # Keeping it up to date

    def put_service(self, service: Json) -> None:
        key = _key(service)
        self.remove_service(service)
        self._services[key] = service
        self._namespaces[key[0]] = self._namespaces.get(key[0], 0) + 1
        for address in service["spec"].get("clusterIPs") or [service["spec"].get("clusterIP")]:
            if address and address != "None":
                self._service_by_ip[address] = key

    def remove_service(self, service: Json) -> None:
        key = _key(service)
        if self._services.pop(key, None) is not None:
            self._namespaces[key[0]] -= 1
            self._service_by_ip = {ip: owner for ip, owner in self._service_by_ip.items() if owner != key}

    def put_slice(self, slice_: Json) -> None:
        meta = slice_["metadata"]
        service = (meta.get("labels") or {}).get(SERVICE_LABEL)
        if service:
            self._slices.setdefault((meta["namespace"], service), {})[meta["name"]] = slice_

    def remove_slice(self, slice_: Json) -> None:
        meta = slice_["metadata"]
        service = (meta.get("labels") or {}).get(SERVICE_LABEL, "")
        self._slices.get((meta["namespace"], service), {}).pop(meta["name"], None)

    # Asking

    def is_authoritative(self, name: str) -> bool:
        """Whether this zone alone knows the name, so that nobody else must be asked."""
        if name == CLUSTER_DOMAIN or name.endswith(f".{CLUSTER_DOMAIN}"):
            return True
        address = _reversed(name)
        return address is not None and any(address in network for network in self._networks)

    def find(self, name: str) -> Found | None:
        """What is known of a name of this zone; None when it does not exist."""
        if name.endswith(_REVERSE):
            records = tuple(Record(type="PTR", data=target) for target in self._names_of(_reversed(name)))
            return Found(records=records) if records else None
        if name == f"dns-version.{CLUSTER_DOMAIN}":
            return Found(records=(Record(type="TXT", data=SCHEMA_VERSION),))
        if name.endswith(_SVC):
            return self._in_services(name.removesuffix(_SVC).split("."))
        if name.endswith(_POD):
            return self._in_pods(name.removesuffix(_POD).split("."))
        return Found() if name in (CLUSTER_DOMAIN, _SVC[1:], _POD[1:]) else None

    def _in_services(self, labels: list[str]) -> Found | None:
        *front, namespace = labels
        if not front:
            return Found() if self._namespaces.get(namespace) else None
        *front, name = front
        service = self._services.get((namespace, name))
        if service is None:
            return None
        if not front:
            return self._service(service)
        if len(front) == 1 and not front[0].startswith("_"):
            return self._endpoint(service, front[0])
        if len(front) <= 2 and all(label.startswith("_") for label in front):
            return self._ports(service, *(label[1:] for label in front))
        return None

    def _service(self, service: Json) -> Found | None:
        spec = service["spec"]
        if spec.get("type") == "ExternalName":
            return Found(records=(Record(type="CNAME", data=spec["externalName"].rstrip(".")),))
        if not _is_headless(service):
            addresses = [spec["clusterIP"]] if spec.get("clusterIP") else []
        else:
            addresses = [endpoint.address for endpoint in self._endpoints(service)]
            if not addresses:
                return None  # as the specification asks: a headless service without ready endpoints does not exist
        return Found(records=tuple(Record(type="A", data=address) for address in dict.fromkeys(addresses)))

    def _endpoint(self, service: Json, host: str) -> Found | None:
        if not _is_headless(service):
            return None
        addresses = [
            endpoint.address
            for endpoint in self._endpoints(service)
            if host in (endpoint.host, endpoint.address.replace(".", "-"))
        ]
        return Found(records=tuple(Record(type="A", data=address) for address in addresses)) if addresses else None

    def _ports(self, service: Json, port: str, protocol: str | None = None) -> Found | None:
        """SRV records of `_http._tcp`; `_tcp` or `_http` alone exists when something is below it."""
        name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
        host = f"{name}.{namespace}{_SVC}"
        if _is_headless(service):
            offered = [
                (*offer, f"{endpoint.host}.{host}") for endpoint in self._endpoints(service) for offer in endpoint.ports
            ]
        else:
            ports = service["spec"].get("ports") or []
            offered = [(entry.get("name", ""), entry.get("protocol", "TCP"), entry["port"], host) for entry in ports]
        if protocol is None:
            return Found() if any(port == offer[1].lower() for offer in offered) else None
        found = [offer for offer in offered if (offer[0], offer[1].lower()) == (port, protocol)]
        records = tuple(Record(type="SRV", data=f"{number} {target}") for _, _, number, target in found)
        return Found(records=records) if records else None

    def _in_pods(self, labels: list[str]) -> Found | None:
        if len(labels) == 1:
            return Found() if self._namespaces.get(labels[0]) else None
        if len(labels) != 2:
            return None
        try:
            address = IPv4Address(labels[0].replace("-", "."))
        except AddressValueError:
            return None
        return Found(records=(Record(type="A", data=str(address)),))

    def _names_of(self, address: IPv4Address | None) -> Iterator[str]:
        key = self._service_by_ip.get(str(address))
        if key is not None:
            yield f"{key[1]}.{key[0]}{_SVC}"
            return
        for (namespace, name), service in self._services.items():
            if _is_headless(service):
                for endpoint in self._endpoints(service):
                    if endpoint.address == str(address):
                        yield f"{endpoint.host}.{name}.{namespace}{_SVC}"

    def _endpoints(self, service: Json) -> Iterator[_Endpoint]:
        """The endpoints that may be shown: the ready ones, or all where the service says so."""
        show_all = service["spec"].get("publishNotReadyAddresses", False)
        for slice_ in self._slices.get(_key(service), {}).values():
            ports = tuple(
                (port.get("name") or "", port.get("protocol") or "TCP", port["port"])
                for port in slice_.get("ports") or []
                if port.get("port")
            )
            for endpoint in slice_.get("endpoints") or []:
                if show_all or (endpoint.get("conditions") or {}).get("ready") is not False:
                    for address in endpoint["addresses"]:
                        host = endpoint.get("hostname") or address.replace(".", "-")
                        yield _Endpoint(address=address, host=host, ports=ports)


def _key(obj: Json) -> Key:
    return obj["metadata"]["namespace"], obj["metadata"]["name"]


def _is_headless(service: Json) -> bool:
    return bool(service["spec"].get("clusterIP") == "None")


def _reversed(name: str) -> IPv4Address | None:
    """The address that a name below in-addr.arpa stands for."""
    if not name.endswith(_REVERSE):
        return None
    try:
        return IPv4Address(".".join(reversed(name.removesuffix(_REVERSE).split("."))))
    except AddressValueError:
        return None
