"""The files of a pod's configMap, secret, downwardAPI and projected volumes. Pure.

In: the volume, the pod, what it can refer to. Out: path in the volume -> content and mode.
"""

import base64
from collections.abc import Callable
from typing import Any

from semafor.base.struct import Value
from semafor.kube.node import fields
from semafor.kube.node.environment import Find, Surroundings

Json = dict[str, Any]

DEFAULT_MODE = 0o644
TOKEN_LIFETIME_S = 3600  # Kubernetes' default expirationSeconds


class File(Value):
    """One file: its bytes and its permissions."""

    data: bytes
    mode: int = DEFAULT_MODE


class VolumeError(Exception):
    """A volume cannot be filled (yet); the message is Kubernetes'."""


Token = Callable[[str, int], str]  # audience ("" for the API's own), lifetime in seconds -> token


def files(volume: Json, pod: Json, around: Surroundings, token: Token) -> dict[str, File] | None:
    """The files of a volume; None when it is of a kind that has none of its own. Raises VolumeError."""
    if "projected" in volume:
        source = volume["projected"]
        mode = source.get("defaultMode") or DEFAULT_MODE
        merged: dict[str, File] = {}
        for part in source.get("sources") or []:
            merged.update(_part(part, mode, pod, around, token) or {})
        return merged
    kind = next((kind for kind in ("configMap", "secret", "downwardAPI") if kind in volume), None)
    if kind is None:
        return None
    return _part({kind: volume[kind]}, volume[kind].get("defaultMode") or DEFAULT_MODE, pod, around, token)


def _part(part: Json, mode: int, pod: Json, around: Surroundings, token: Token) -> dict[str, File] | None:
    if source := part.get("configMap"):
        return _keys(source, source.get("name", ""), "configmap", around.config_map, mode)
    if source := part.get("secret"):
        return _keys(source, source.get("secretName") or source.get("name", ""), "secret", around.secret, mode)
    if source := part.get("downwardAPI"):
        return {item["path"]: _downward(item, mode, pod, around) for item in source.get("items") or []}
    if source := part.get("serviceAccountToken"):
        lifetime_s = int(source.get("expirationSeconds") or TOKEN_LIFETIME_S)
        return {source["path"]: File(data=token(source.get("audience") or "", lifetime_s).encode(), mode=mode)}
    if part.keys() - {"downwardAPI", "configMap", "secret"}:
        raise VolumeError(f"projected source {', '.join(part)} is not supported on this node")
    return {}


def _keys(source: Json, name: str, kind: str, find: Find, mode: int) -> dict[str, File]:
    found = find(name)
    if found is None:
        if source.get("optional"):
            return {}
        raise VolumeError(f'{kind} "{name}" not found')
    contents = _contents(found, kind)
    if "items" not in source:
        return {key: File(data=data, mode=mode) for key, data in contents.items()}
    missing = [item["key"] for item in source["items"] or [] if item["key"] not in contents]
    if missing and not source.get("optional"):
        raise VolumeError(f"references non-existent {'config' if kind == 'configmap' else 'secret'} key: {missing[0]}")
    chosen = [item for item in source["items"] or [] if item["key"] in contents]
    return {item["path"]: File(data=contents[item["key"]], mode=item.get("mode") or mode) for item in chosen}


def _contents(found: Json, kind: str) -> dict[str, bytes]:
    data = found.get("data") or {}
    if kind == "secret":
        return {key: base64.b64decode(value) for key, value in data.items()}
    binary = found.get("binaryData") or {}
    texts = {key: value.encode() for key, value in data.items()}
    return texts | {key: base64.b64decode(value) for key, value in binary.items()}


def _downward(item: Json, mode: int, pod: Json, around: Surroundings) -> File:
    if ref := item.get("fieldRef"):
        value = fields.field(pod, ref["fieldPath"], around.host_ip, around.pod_ip)
    else:
        value = fields.resource(pod, "", item["resourceFieldRef"], around.capacity)
    return File(data=value.encode(), mode=item.get("mode") or mode)
