"""Service: cluster IPs and node ports are given out here, and kept for the service's life."""

import zlib
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address
from typing import Any

from semafor.kube.api.rules.rules import Ground, Refused, Rules, at
from semafor.resources import errors
from semafor.resources.errors import FieldError

Doc = dict[str, Any]

NO_IP = "None"
_RESERVED_HOSTS = 16  # the first addresses: .1 is the API's own service, .10 is DNS


def _complete(new: Doc, old: Doc | None, _: Ground) -> Doc:
    """Carry over what was given out, where the client leaves it unsaid."""
    spec = dict(new.get("spec", {}))
    if old is not None and spec.get("type") != "ExternalName" and at(old, "spec.type") != "ExternalName":
        for field in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if field not in spec and field in old["spec"]:
                spec[field] = old["spec"][field]
        if spec.get("type") in ("NodePort", "LoadBalancer"):
            spec["ports"] = [_with_old_node_port(port, old) for port in spec.get("ports", [])]
        else:
            spec = _inward(spec, old["spec"])
    return {**new, "spec": spec}


def _inward(spec: Doc, old: Doc) -> Doc:
    """What was given out for the outside goes with it, unless the client changed it himself.

    Source: kube-apiserver's dropTypeDependentFields.
    """
    if spec.get("type") == old.get("type"):
        return spec
    before = {(port.get("port"), port.get("protocol")): port.get("nodePort") for port in old.get("ports") or ()}
    made = dict(spec)
    if all(port.get("nodePort") == before.get((port.get("port"), port.get("protocol"))) for port in spec["ports"]):
        made["ports"] = [{key: value for key, value in port.items() if key != "nodePort"} for port in spec["ports"]]
    for field in ("externalTrafficPolicy", "healthCheckNodePort", "allocateLoadBalancerNodePorts"):
        if field in made and made[field] == old.get(field):
            del made[field]
    return made


def _with_old_node_port(port: Doc, old: Doc) -> Doc:
    for before in at(old, "spec.ports") or []:
        same = (before.get("port"), before.get("protocol")) == (port.get("port"), port.get("protocol"))
        if same and before.get("nodePort") and not port.get("nodePort"):
            return {**port, "nodePort": before["nodePort"]}
    return port


def _allocate(new: Doc, old: Doc | None, ground: Ground) -> Doc:
    """Give out a cluster IP and node ports where they are wanted and missing. Raises Refused."""
    spec = dict(new["spec"])
    others = [item for item in ground.heads("services") if item["metadata"]["uid"] != new["metadata"]["uid"]]
    if spec.get("type") == "ExternalName":
        return {**new, "spec": {key: value for key, value in spec.items() if key not in ("clusterIP", "clusterIPs")}}
    if spec.get("clusterIP") != NO_IP:
        taken = {at(item, "spec.clusterIP") for item in others}
        spec["clusterIP"] = _cluster_ip(new, spec.get("clusterIP", ""), at(old, "spec.clusterIP"), taken, ground)
    spec["clusterIPs"] = [spec["clusterIP"]]
    spec = {"ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack", **spec}
    if spec.get("type") in ("NodePort", "LoadBalancer"):
        start = zlib.crc32(new["metadata"]["uid"].encode())
        spec["ports"] = _node_ports(spec.get("ports", []), others, ground, start)
    return {**new, "spec": spec}


def _cluster_ip(new: Doc, asked: str, before: str | None, taken: set[str], ground: Ground) -> str:
    if asked and asked == before:
        return asked
    if asked:
        _check_asked(asked, taken, ground)
        return asked
    network = ground.service_network
    span = network.num_addresses - 1 - _RESERVED_HOSTS
    name = f"{new['metadata']['namespace']}/{new['metadata']['name']}"
    start = zlib.crc32(name.encode())  # the same service gets the same address again, where it is free
    for step in range(span):
        address = str(network[_RESERVED_HOSTS + (start + step) % span])
        if address not in taken:
            return address
    raise Refused(errors.invalid("spec.clusterIPs", [], f"failed to allocate a serviceIP: range {network} is full"))


def _check_asked(asked: str, taken: set[str], ground: Ground) -> None:
    why = ""
    try:
        if IPv4Address(asked) not in ground.service_network:
            why = f"the provided IP is not in the valid range. The range of valid IPs is {ground.service_network}"
        elif asked in taken:
            why = "provided IP is already allocated"
    except AddressValueError:
        why = "must be a valid IPv4 address"
    if why:
        raise Refused(errors.invalid("spec.clusterIPs", [asked], f"failed to allocate IP {asked}: {why}"))


def _node_ports(ports: list[Doc], others: list[Doc], ground: Ground, start: int) -> list[Doc]:
    """From anywhere in the range, as in Kubernetes: two clusters of one machine seldom meet there."""
    taken = {port.get("nodePort") for item in others for port in at(item, "spec.ports") or []}
    turn = start % len(ground.node_ports)
    every = (*ground.node_ports[turn:], *ground.node_ports[:turn])
    free = (number for number in every if number not in taken)
    given = {port["nodePort"] for port in ports if port.get("nodePort")}
    for index, port in enumerate(ports):
        if port.get("nodePort") in taken - {None, 0}:
            path = f"spec.ports[{index}].nodePort"
            raise Refused(errors.invalid(path, port["nodePort"], "provided port is already allocated"))
    unused = (number for number in free if number not in given)
    return [port if port.get("nodePort") else {**port, "nodePort": next(unused)} for port in ports]


def _check(new: Doc, old: Doc | None) -> Iterator[FieldError]:
    before, after = at(old, "spec.clusterIP"), at(new, "spec.clusterIP")
    if before and after and before != after:
        yield errors.invalid("spec.clusterIPs[0]", [after], "may not change once set")


RULES = Rules(complete=_complete, allocate=_allocate, check=_check)
