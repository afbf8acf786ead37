"""Kubernetes' rules for a pod's volumes that types alone cannot say."""

from collections.abc import Iterator
from typing import Any

from semafor.resources import errors
from semafor.resources.errors import FieldError

Doc = dict[str, Any]


def volumes(items: list[Doc], path: str) -> Iterator[FieldError]:
    """Names are unique, and each volume has at most one source (none means emptyDir)."""
    seen: set[str] = set()
    for index, volume in enumerate(items):
        where, name = f"{path}[{index}]", volume.get("name", "")
        if name in seen:
            yield errors.duplicate(f"{where}.name", name)
        seen.add(name)
        sources = [key for key in volume if key != "name"]
        yield from (
            errors.forbidden(f"{where}.{extra}", "may not specify more than 1 volume type") for extra in sources[1:]
        )
        yield from _source(volume, where)


def _source(volume: Doc, path: str) -> Iterator[FieldError]:
    for kind, name in (("configMap", "name"), ("secret", "secretName")):
        if kind in volume:
            if not volume[kind].get(name):
                yield errors.required(f"{path}.{kind}.{name}")
            yield from _files(volume[kind], f"{path}.{kind}")
    if "downwardAPI" in volume:
        yield from _files(volume["downwardAPI"], f"{path}.downwardAPI")
    if ".." in volume.get("hostPath", {}).get("path", "").split("/"):
        yield errors.invalid(f"{path}.hostPath.path", volume["hostPath"]["path"], "must not contain '..'")
    for index, source in enumerate(volume.get("projected", {}).get("sources", ())):
        yield from _projection(source, f"{path}.projected.sources[{index}]")


def _projection(source: Doc, path: str) -> Iterator[FieldError]:
    if len(source) > 1:
        yield errors.forbidden(path, "may not specify more than 1 volume type per source")
    for kind in ("configMap", "secret"):
        if kind in source:
            if not source[kind].get("name"):
                yield errors.required(f"{path}.{kind}.name")
            yield from _files(source[kind], f"{path}.{kind}")
    token = source.get("serviceAccountToken", {})
    yield from relative_path(token.get("path", ""), f"{path}.serviceAccountToken.path")


def _files(source: Doc, path: str) -> Iterator[FieldError]:
    for index, item in enumerate(source.get("items", ())):
        yield from relative_path(item.get("path", ""), f"{path}.items[{index}].path")


def relative_path(value: str, path: str) -> Iterator[FieldError]:
    """A path beneath the volume: relative, and it never goes up."""
    if value.startswith("/"):
        yield errors.invalid(path, value, "must be a relative path")
    if ".." in value.split("/"):
        yield errors.invalid(path, value, "must not contain '..'")


def mounts(items: list[Doc], names: set[str], path: str) -> Iterator[FieldError]:
    """Each mount names a volume of the pod, and no two have the same path."""
    seen: set[str] = set()
    for index, mount in enumerate(items):
        where, target = f"{path}[{index}]", mount.get("mountPath", "")
        if mount.get("name") and mount["name"] not in names:
            yield errors.not_found(f"{where}.name", mount["name"])
        if target in seen:
            yield errors.invalid(f"{where}.mountPath", target, "must be unique")
        seen.add(target)
        if mount.get("subPath") and mount.get("subPathExpr"):
            yield errors.invalid(f"{where}.subPathExpr", mount["subPathExpr"], "subPathExpr and subPath are exclusive")
        for field in ("subPath", "subPathExpr"):
            yield from relative_path(mount.get(field, ""), f"{where}.{field}")
