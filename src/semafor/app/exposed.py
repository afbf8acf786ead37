"""What of a Service has no effect, by name: exposure that is not there on one machine, the proxies' own ports. Pure."""

from collections.abc import Iterator
from typing import Any

from semafor.base.problem import ObjectRef, Problem
from semafor.ir import Origin
from semafor.planner import reserved
from semafor.planner.checks.problems import reserved_port
from semafor.planner.services.protocol import declared

Doc = dict[str, Any]

_TYPES = ("NodePort", "LoadBalancer")
# field of the spec -> values that ask for nothing, and why the others have no effect
_IGNORED: dict[str, tuple[tuple[Any, ...], str]] = {
    "externalTrafficPolicy": (("", "Cluster"), "there is one node, and callers from the machine are the machine"),
    "loadBalancerIP": (("",), "the address is a loopback address of the mesh's choice"),
    "loadBalancerSourceRanges": (((), []), "nothing but the machine itself can call"),
    "externalIPs": (((), []), "no address but loopback is listened on"),
    "sessionAffinity": (("", "None"), "connections go to any ready pod; use consistentHash of a DestinationRule"),
}


def problems(service: Doc) -> Iterator[Problem]:
    """One for each field that is set and has no effect, and for ports that nothing outside reaches."""
    spec, metadata = service.get("spec", {}), service["metadata"]
    ref = ObjectRef(kind="Service", name=metadata["name"], namespace=metadata.get("namespace", ""))
    for index, port in enumerate(spec.get("ports") or ()):
        if _has_own_listener(port) and port["port"] in reserved.PORTS:
            yield reserved_port(Origin(ref=ref, path=f"spec.ports[{index}].port"), port["port"])
    if spec.get("type") not in _TYPES:
        return
    for field, (nothing, why) in _IGNORED.items():
        if spec.get(field, nothing[0]) not in nothing:
            yield _problem(ref, f"spec.{field}", why)
    for index, port in enumerate(spec.get("ports") or ()):
        if port.get("protocol", "TCP") == "SCTP":
            yield _problem(ref, f"spec.ports[{index}].protocol", "the machine reaches the mesh by TCP and UDP alone")


def _has_own_listener(port: Doc) -> bool:
    """Whether callers' proxies listen there for every address."""
    transport, name = port.get("protocol", "TCP"), port.get("name", "")
    return declared(port["port"], name, transport, port.get("appProtocol")).is_http


def _problem(ref: ObjectRef, path: str, why: str) -> Problem:
    return Problem(ref=ref, path=path, reason="NotSupported", message=f"it has no effect here: {why}")
