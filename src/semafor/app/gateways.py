"""Where the machine reaches the mesh's gateways: read off Services of type LoadBalancer."""

from collections.abc import Iterable, Iterator
from typing import Any

Doc = dict[str, Any]

_NODE_ADDRESS = "127.0.0.1"
_DEFAULT_PORTS = {"http": 80, "https": 443}


def found(services: Iterable[Doc]) -> list[Doc]:
    """Each LoadBalancer that has its address: its name, namespace, address and URLs."""
    return [_gateway(each) for each in services if _is_load_balancer(each) and _ingress(each)]


def complete(services: Iterable[Doc]) -> bool:
    """Whether every LoadBalancer has its address."""
    return all(_ingress(each) for each in services if _is_load_balancer(each))


def lines(gateways: list[Doc]) -> Iterator[str]:
    """One line for each gateway that has URLs."""
    for gateway in gateways:
        if gateway["urls"]:
            yield f"{'  '.join(gateway['urls'])}  ({gateway['namespace']}/{gateway['name']})"


def _is_load_balancer(obj: Doc) -> bool:
    return bool(obj["spec"].get("type") == "LoadBalancer")


def _gateway(obj: Doc) -> Doc:
    metadata, ingress = obj["metadata"], _ingress(obj)[0]
    refused = {each["port"] for each in ingress.get("ports") or () if each.get("error")}
    urls = (_url(port, ingress["ip"], refused) for port in obj["spec"]["ports"])
    return {
        "name": metadata["name"],
        "namespace": metadata["namespace"],
        "address": ingress["ip"],
        "urls": [url for url in urls if url],
    }


def _url(port: Doc, address: str, refused: set[int]) -> str:
    """The URL of a port for requests; a port that the machine did not let us have is reached by its node port."""
    scheme = _scheme(port)
    if not scheme:
        return ""
    host, number = (_NODE_ADDRESS, port["nodePort"]) if port["port"] in refused else (address, port["port"])
    return f"{scheme}://{host}" + (f":{number}" if number != _DEFAULT_PORTS[scheme] else "")


def _scheme(port: Doc) -> str:
    name, number = port.get("name", ""), port["port"]
    if name.startswith("https") or number == _DEFAULT_PORTS["https"]:
        return "https"
    return "http" if name.startswith("http") or number == _DEFAULT_PORTS["http"] else ""


def _ingress(obj: Doc) -> list[Doc]:
    ingress: list[Doc] = obj.get("status", {}).get("loadBalancer", {}).get("ingress") or []
    return ingress
