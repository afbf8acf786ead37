"""NetworkPolicy: which connections pods may make and take. Source: Kubernetes' API reference."""

import ipaddress
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec

from semafor.base.struct import Document
from semafor.resources import errors, selector
from semafor.resources.defaulting import each, fill, inside
from semafor.resources.errors import FieldError
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC, PORT, IntOrString
from semafor.resources.meta.meta import LabelSelector, ObjectMeta


class NetworkPolicyPort(Document):
    """A port that is allowed."""

    protocol: Annotated[Literal["TCP", "UDP", "SCTP"] | None, "Protocol; TCP when absent."] = None
    port: Annotated[IntOrString | None, "The port, by number or by name; all when absent."] = None
    end_port: Annotated[int | None, PORT, "End of a range of ports."] = None


class IPBlock(Document):
    """A network."""

    cidr: Annotated[str, "The network."]
    except_: Annotated[tuple[str, ...], ATOMIC, "Parts of it that are not meant."] = msgspec.field(
        name="except", default=()
    )


class NetworkPolicyPeer(Document):
    """Who is at the other end."""

    pod_selector: Annotated[LabelSelector | None, ATOMIC, "Pods, by their labels."] = None
    namespace_selector: Annotated[LabelSelector | None, ATOMIC, "Pods of these namespaces."] = None
    ip_block: Annotated[IPBlock | None, "Addresses of a network; excludes the selectors."] = None


class NetworkPolicyIngressRule(Document):
    """Connections that pods may take."""

    ports: Annotated[tuple[NetworkPolicyPort, ...], ATOMIC, "To which ports; all when empty."] = ()
    from_: Annotated[tuple[NetworkPolicyPeer, ...], ATOMIC, "From whom; anybody when empty."] = msgspec.field(
        name="from", default=()
    )


class NetworkPolicyEgressRule(Document):
    """Connections that pods may make."""

    ports: Annotated[tuple[NetworkPolicyPort, ...], ATOMIC, "To which ports; all when empty."] = ()
    to: Annotated[tuple[NetworkPolicyPeer, ...], ATOMIC, "To whom; anybody when empty."] = ()


class NetworkPolicySpec(Document):
    """Which connections some pods may make and take."""

    pod_selector: Annotated[LabelSelector, ATOMIC, "The pods."] = LabelSelector()
    ingress: Annotated[
        tuple[NetworkPolicyIngressRule, ...], ATOMIC, "Connections that they may take; one rule that allows is enough."
    ] = ()
    egress: Annotated[
        tuple[NetworkPolicyEgressRule, ...], ATOMIC, "Connections that they may make; one rule that allows is enough."
    ] = ()
    policy_types: Annotated[
        tuple[Literal["Ingress", "Egress"], ...], ATOMIC, "Directions that the policy is about."
    ] = ()


class NetworkPolicy(Document):
    """Which connections pods may make and take."""

    api_version: Annotated[str, "API version of the object."] = "networking.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "NetworkPolicy"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[NetworkPolicySpec, "What is wanted."] = NetworkPolicySpec()


def defaults(doc: dict[str, Any]) -> dict[str, Any]:
    """Ports are TCP, and a policy is about what it has rules for, and about ingress anyway."""
    return inside(doc, "spec", _spec)


def _spec(spec: dict[str, Any]) -> dict[str, Any]:
    for side in ("ingress", "egress"):
        spec = each(spec, side, lambda rule: each(rule, "ports", lambda port: fill(port, {"protocol": "TCP"})))
    return fill(spec, {"policyTypes": ["Ingress", *(["Egress"] if spec.get("egress") else [])]})


def validate(doc: dict[str, Any]) -> Iterator[FieldError]:
    """Peers are pods, namespaces or networks, and ranges of ports are in order."""
    spec = doc.get("spec", {})
    yield from selector.validate(spec.get("podSelector", {}), "spec.podSelector")
    for side, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(side, ())):
            path = f"spec.{side}[{index}]"
            for place, port in enumerate(rule.get("ports", ())):
                yield from _port(port, f"{path}.ports[{place}]")
            for place, peer in enumerate(rule.get(peers, ())):
                yield from _peer(peer, f"{path}.{peers}[{place}]")


def _port(port: dict[str, Any], path: str) -> Iterator[FieldError]:
    first, last = port.get("port"), port.get("endPort")
    if last is None:
        return
    if not isinstance(first, int):
        yield errors.required(f"{path}.port", "must be specified as a number when `endPort` is")
    elif last < first:
        yield errors.invalid(f"{path}.endPort", last, "must be greater than or equal to `port`")


def _peer(peer: dict[str, Any], path: str) -> Iterator[FieldError]:
    if not peer:
        yield errors.required(path, "must specify a peer")
    if "ipBlock" in peer and len(peer) > 1:
        yield errors.forbidden(path, "may not specify both ipBlock and another peer")
    for name in ("podSelector", "namespaceSelector"):
        yield from selector.validate(peer.get(name, {}), f"{path}.{name}")
    block = peer.get("ipBlock", {})
    for where, value in [("cidr", block.get("cidr"))] + [
        (f"except[{index}]", part) for index, part in enumerate(block.get("except", ()))
    ]:
        if value and not _is_network(value):
            why = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
            yield errors.invalid(f"{path}.ipBlock.{where}", value, why)


def _is_network(value: str) -> bool:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return "/" in value


KIND = Kind(
    group="networking.k8s.io",
    versions=("v1",),
    kind="NetworkPolicy",
    plural="networkpolicies",
    short=("netpol",),
    document=NetworkPolicy,
    effect=False,
    defaults=defaults,
    validate=validate,
)
