"""URLs of the Kubernetes API, taken apart. Source: "Kubernetes API Concepts", resource URIs."""

from urllib.parse import unquote

from semafor.base.struct import Value

# Of a namespace itself, not collections in it.
_OF_NAMESPACES = {"status", "finalize"}


class Target(Value):
    """What a URL names; `name` is empty for a collection, `namespace` for cluster scope or all namespaces."""

    group: str
    version: str
    plural: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""


def parse(raw_path: str) -> Target | None:
    """The target of `/api/v1/...` or `/apis/GROUP/VERSION/...`; None when the path is no resource's."""
    parts = [unquote(part) for part in raw_path.strip("/").split("/")]
    if parts[0:3:2] == ["api", "namespaces"] and parts[6:7] == ["proxy"]:
        parts = parts[:7]  # what follows is a path of somebody else's
    if len(parts) >= 3 and parts[0] == "api" and all(parts):
        return _resource("", parts[1], parts[2:])
    if len(parts) >= 4 and parts[0] == "apis" and all(parts):
        return _resource(parts[1], parts[2], parts[3:])
    return None


def _resource(group: str, version: str, parts: list[str]) -> Target | None:
    namespace = ""
    if len(parts) >= 3 and parts[0] == "namespaces" and not (len(parts) == 3 and parts[2] in _OF_NAMESPACES):
        namespace, parts = parts[1], parts[2:]
    if len(parts) > 3:
        return None
    name, subresource = (parts[1:2] or [""])[0], "/".join(parts[2:])
    return Target(
        group=group, version=version, plural=parts[0], namespace=namespace, name=name, subresource=subresource
    )
