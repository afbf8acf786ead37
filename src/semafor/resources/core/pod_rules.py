"""Kubernetes' rules for pods and templates that types alone cannot say. Source: Kubernetes' core validation."""

import ipaddress
from collections.abc import Iterator
from typing import Any

from semafor.resources import errors, metadata, selector
from semafor.resources.core import container_rules, volume_rules
from semafor.resources.errors import FieldError

Doc = dict[str, Any]


def pod(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a Pod."""
    yield from spec(doc.get("spec", {}), "spec")


def pod_template(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a stored PodTemplate."""
    yield from template(doc.get("template", {}), "template")


def template(doc: Doc, path: str) -> Iterator[FieldError]:
    """What is wrong with the template in a workload."""
    meta = doc.get("metadata", {})
    yield from metadata.labels(meta.get("labels", {}), f"{path}.metadata.labels")
    yield from metadata.annotations(meta.get("annotations", {}), f"{path}.metadata.annotations")
    yield from spec(doc.get("spec", {}), f"{path}.spec")


def lasting_template(doc: Doc, path: str) -> Iterator[FieldError]:
    """The template of pods that are always restarted."""
    yield from template(doc, path)
    policy = doc.get("spec", {}).get("restartPolicy", "Always")
    if policy in {"Never", "OnFailure"}:
        yield errors.not_supported(f"{path}.spec.restartPolicy", policy, ("Always",))
    if "activeDeadlineSeconds" in doc.get("spec", {}):
        yield errors.forbidden(f"{path}.spec.activeDeadlineSeconds", "activeDeadlineSeconds is not supported here")


def spec(doc: Doc, path: str) -> Iterator[FieldError]:
    """What is wrong with a pod's spec."""
    yield from volume_rules.volumes(doc.get("volumes", []), f"{path}.volumes")
    if not doc.get("containers"):
        yield errors.required(f"{path}.containers")
    yield from _containers(doc, path)
    yield from _host_ports(doc, path)
    yield from metadata.labels(doc.get("nodeSelector", {}), f"{path}.nodeSelector")
    for index, toleration in enumerate(doc.get("tolerations", ())):
        yield from _toleration(toleration, f"{path}.tolerations[{index}]")
    for index, alias in enumerate(doc.get("hostAliases", ())):
        yield from address(alias.get("ip", ""), f"{path}.hostAliases[{index}].ip")
    if doc.get("dnsPolicy") == "None" and not doc.get("dnsConfig", {}).get("nameservers"):
        why = "must provide at least one DNS nameserver when `dnsPolicy` is None"
        yield errors.required(f"{path}.dnsConfig.nameservers", why)
    for index, spread in enumerate(doc.get("topologySpreadConstraints", ())):
        chosen = spread.get("labelSelector", {})
        yield from selector.validate(chosen, f"{path}.topologySpreadConstraints[{index}].labelSelector")


def _containers(doc: Doc, path: str) -> Iterator[FieldError]:
    volumes = {volume.get("name", "") for volume in doc.get("volumes", ())}
    seen: set[str] = set()
    for field in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(doc.get(field, ())):
            where, name = f"{path}.{field}[{index}]", container.get("name", "")
            if name and name in seen:
                yield errors.duplicate(f"{where}.name", name)
            seen.add(name)
            yield from container_rules.container(container, volumes, where)
            if field == "initContainers":
                yield from container_rules.init_container(container, where)
            else:
                yield from container_rules.main_container(container, where)


def _host_ports(doc: Doc, path: str) -> Iterator[FieldError]:
    seen: set[tuple[Any, ...]] = set()
    for index, container in enumerate(doc.get("containers", ())):
        for place, port in enumerate(container.get("ports", ())):
            where = f"{path}.containers[{index}].ports[{place}]"
            host_port = port.get("hostPort", 0)
            if doc.get("hostNetwork") and host_port not in (0, port.get("containerPort")):
                yield errors.invalid(
                    f"{where}.containerPort",
                    port.get("containerPort"),
                    "must match `hostPort` when `hostNetwork` is true",
                )
            key = (port.get("protocol", "TCP"), port.get("hostIP", ""), host_port)
            if host_port and key in seen:
                yield errors.duplicate(f"{where}.hostPort", f"{key[0]}/{key[1]}/{host_port}")
            seen.add(key)


def _toleration(doc: Doc, path: str) -> Iterator[FieldError]:
    if doc.get("key"):
        yield from metadata.qualified(doc["key"], f"{path}.key")
    elif doc.get("operator", "Equal") != "Exists":
        why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        yield errors.invalid(f"{path}.operator", doc.get("operator", ""), why)
    if doc.get("operator") == "Exists" and doc.get("value"):
        yield errors.invalid(f"{path}.operator", doc["value"], "value must be empty when `operator` is 'Exists'")
    if "tolerationSeconds" in doc and doc.get("effect") != "NoExecute":
        why = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        yield errors.invalid(f"{path}.effect", doc.get("effect", ""), why)


def address(value: str, path: str) -> Iterator[FieldError]:
    """An IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        yield errors.invalid(path, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
