"""A container's environment and command line, as Kubernetes puts them together. Pure.

Order, later wins: the image's own, the services' variables, envFrom, env. `$(NAME)` is replaced by what has been set
before it. Source: the kubelet's makeEnvironmentVariables.
"""

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from semafor.base.struct import Value
from semafor.kube.node import fields
from semafor.kube.node.fields import ConfigError

Json = dict[str, Any]
Find = Callable[[str], Json | None]  # by name, in the pod's namespace

_REFERENCE = re.compile(r"\$(\$|\([^)]*\))")


class Surroundings(Value):
    """What a pod can refer to. `services` are those of its namespace and default/kubernetes."""

    config_map: Find
    secret: Find
    services: tuple[Json, ...] = ()
    host_ip: str = ""
    pod_ip: str = ""
    hostname: str = ""
    capacity: Mapping[str, str] = {}


def environment(
    pod: Json, container: Json, image_env: Iterable[tuple[str, str]], around: Surroundings
) -> dict[str, str]:
    """The variables of a container. Raises ConfigError when a ConfigMap, a Secret or a key is missing."""
    found = {**dict(image_env), "HOSTNAME": around.hostname, **_service_variables(pod, around)}
    for source in container.get("envFrom") or []:
        found.update(_from_source(source, around))
    for entry in container.get("env") or []:
        value = _value(pod, container, entry, found, around)
        if value is not None:
            found[entry["name"]] = value
    return found


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Replace $(NAME); an unknown name stays as it is, and $$(NAME) is $(NAME)."""

    def replaced(match: re.Match[str]) -> str:
        if match[1] == "$":
            return "$"
        return variables.get(match[1][1:-1], match[0])

    return _REFERENCE.sub(replaced, text)


def command(
    container: Json, entrypoint: Sequence[str], cmd: Sequence[str], variables: Mapping[str, str]
) -> tuple[str, ...]:
    """The command line: `command` replaces the image's entrypoint and its cmd, `args` replace its cmd."""
    own, args = container.get("command"), container.get("args")
    first = own or list(entrypoint)
    rest = args if args is not None else ([] if own else list(cmd))
    return tuple(expand(word, variables) for word in [*first, *(rest or [])])


def _value(pod: Json, container: Json, entry: Json, known: Mapping[str, str], around: Surroundings) -> str | None:
    """The value of one env entry; None for an optional reference to something that is not there."""
    source = entry.get("valueFrom")
    if not source:
        return expand(entry.get("value") or "", known)
    if ref := source.get("fieldRef"):
        return fields.field(pod, ref["fieldPath"], around.host_ip, around.pod_ip)
    if ref := source.get("resourceFieldRef"):
        return fields.resource(pod, container["name"], ref, around.capacity)
    if ref := source.get("configMapKeyRef"):
        return _key(ref, "ConfigMap", around.config_map, pod)
    if ref := source.get("secretKeyRef"):
        return _key(ref, "Secret", around.secret, pod)
    raise ConfigError(f"invalid environment variable {entry['name']}: unknown source {', '.join(source)}")


def _key(ref: Json, kind: str, find: Find, pod: Json) -> str | None:
    name, optional = ref.get("name", ""), ref.get("optional", False)
    found = find(name)
    if found is None:
        if optional:
            return None
        raise ConfigError(f'{kind.lower()} "{name}" not found')
    texts = dict(_texts(found, kind))
    if ref["key"] not in texts and not optional:
        raise ConfigError(f"couldn't find key {ref['key']} in {kind} {pod['metadata']['namespace']}/{name}")
    return texts.get(ref["key"])


def _from_source(source: Json, around: Surroundings) -> Iterator[tuple[str, str]]:
    for field_name, kind, find in (
        ("configMapRef", "ConfigMap", around.config_map),
        ("secretRef", "Secret", around.secret),
    ):
        ref = source.get(field_name)
        if not ref:
            continue
        found = find(ref.get("name", ""))
        if found is None and not ref.get("optional"):
            raise ConfigError(f'{kind.lower()} "{ref.get("name", "")}" not found')
        for key, value in _texts(found or {}, kind):
            yield source.get("prefix", "") + key, value


def _texts(found: Json, kind: str) -> Iterator[tuple[str, str]]:
    data = found.get("data") or {}
    for key, value in data.items():
        yield key, base64.b64decode(value).decode(errors="replace") if kind == "Secret" else value


# Services


def _service_variables(pod: Json, around: Surroundings) -> dict[str, str]:
    links = pod["spec"].get("enableServiceLinks", True)
    namespace = pod["metadata"]["namespace"]
    found: dict[str, str] = {}
    for service in around.services:
        meta = service["metadata"]
        is_api = (meta["namespace"], meta["name"]) == ("default", "kubernetes")
        if is_api or (links and meta["namespace"] == namespace):
            found.update(_of_service(service))
    return found


def _of_service(service: Json) -> Iterator[tuple[str, str]]:
    """Kubernetes' and Docker's variables of one service. Source: pkg/kubelet/envvars."""
    spec = service["spec"]
    address, ports = spec.get("clusterIP"), spec.get("ports") or []
    if not address or address == "None" or not ports:
        return
    prefix = service["metadata"]["name"].upper().replace("-", "_")
    yield f"{prefix}_SERVICE_HOST", address
    yield f"{prefix}_SERVICE_PORT", str(ports[0]["port"])
    for port in ports:
        if port.get("name"):
            yield f"{prefix}_SERVICE_PORT_{port['name'].upper().replace('-', '_')}", str(port["port"])
    for index, port in enumerate(ports):
        protocol = port.get("protocol", "TCP")
        url, link = f"{protocol.lower()}://{address}:{port['port']}", f"{prefix}_PORT_{port['port']}_{protocol}"
        if index == 0:
            yield f"{prefix}_PORT", url
        yield from ((link, url), (f"{link}_PROTO", protocol.lower()))
        yield from ((f"{link}_PORT", str(port["port"])), (f"{link}_ADDR", address))
