"""What is served: groups, versions and resources, in the three forms that clients ask for.

Source: "The Kubernetes API", discovery; apidiscovery.k8s.io/v2 and v2beta1. Pure over the table of kinds.
"""

import re
from collections.abc import Sequence
from typing import Any

from semafor.kube.api.options import VersionInfo
from semafor.resources.kind import Kind

Doc = dict[str, Any]

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
_OBJECT_VERBS = ("get", "patch", "update")
# What a subresource answers with, when that is not the resource's own kind, and what can be done with it.
_SUBRESOURCES: dict[str, tuple[tuple[str, str, str] | None, tuple[str, ...]]] = {
    "approval": (None, _OBJECT_VERBS),
    "attach": (("", "v1", "PodAttachOptions"), ("create", "get")),
    "binding": (("", "v1", "Binding"), ("create",)),
    "ephemeralcontainers": (None, _OBJECT_VERBS),
    "eviction": (("policy", "v1", "Eviction"), ("create",)),
    "exec": (("", "v1", "PodExecOptions"), ("create", "get")),
    "finalize": (None, ("update",)),
    "log": (None, ("get",)),
    "portforward": (("", "v1", "PodPortForwardOptions"), ("create", "get")),
    "proxy": (None, ("create", "delete", "get", "patch", "update")),
    "scale": (("autoscaling", "v1", "Scale"), _OBJECT_VERBS),
    "status": (None, _OBJECT_VERBS),
    "token": (("authentication.k8s.io", "v1", "TokenRequest"), ("create",)),
}
_VERSION = re.compile(r"v(\d+)(?:(alpha|beta)(\d+))?")
_STAGES = {None: 2, "beta": 1, "alpha": 0}


# Kinds that are only the bodies of subresources: documents name them, but no path of their own leads to them.
_BODIES_ONLY = frozenset({"Eviction", "Scale", "TokenRequest"})


def listed(kinds: Sequence[Kind]) -> list[Kind]:
    """The kinds that have paths of their own."""
    return [kind for kind in kinds if not (kind.virtual and kind.kind in _BODIES_ONLY)]


def groups(kinds: Sequence[Kind]) -> list[str]:
    """The API groups without the core group: Kubernetes' own in the order of the table, then the others by name.

    Of two kinds with one name kubectl takes the first. So `gateway` is the Gateway API's, as on a cluster with both.
    """
    own = dict.fromkeys(kind.group for kind in kinds if kind.group and not kind.custom)
    others = {kind.group for kind in kinds if kind.custom} - own.keys()
    return [*own, *sorted(others)]


def versions(kinds: Sequence[Kind], group: str) -> list[str]:
    """The versions of a group, the preferred first: stable before beta before alpha, higher before lower."""
    found = {version for kind in kinds if kind.group == group for version in kind.versions}
    return sorted(found, key=_priority, reverse=True)


def _priority(version: str) -> tuple[int, int, int]:
    found = _VERSION.fullmatch(version)
    return (_STAGES[found[2]], int(found[1]), int(found[3] or 0)) if found else (-1, 0, 0)


def served(kinds: Sequence[Kind], group: str, version: str) -> list[Kind]:
    """The kinds of a group that are served in a version."""
    return [kind for kind in kinds if kind.group == group and version in kind.versions]


def api_versions() -> Doc:
    """GET /api."""
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def api_group_list(kinds: Sequence[Kind]) -> Doc:
    """GET /apis."""
    listed = [_group(kinds, group) for group in groups(kinds)]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}


def api_group(kinds: Sequence[Kind], group: str) -> Doc | None:
    """GET /apis/GROUP; None when there is no such group."""
    if group not in groups(kinds):
        return None
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(kinds, group)}


def _group(kinds: Sequence[Kind], group: str) -> Doc:
    listed = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions(kinds, group)]
    return {"name": group, "versions": listed, "preferredVersion": listed[0]}


def api_resource_list(kinds: Sequence[Kind], group: str, version: str) -> Doc | None:
    """GET /api/v1 and /apis/GROUP/VERSION; None when that is not served."""
    here = served(kinds, group, version)
    if not here:
        return None
    resources = [entry for kind in here for entry in _entries(kind, version)]
    api_version = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": resources}


def _entries(kind: Kind, version: str) -> list[Doc]:
    common: Doc = {"namespaced": kind.namespaced}
    main = {
        "name": kind.plural,
        "singularName": kind.singular,
        **common,
        "kind": kind.kind,
        "verbs": list(_verbs(kind)),
    }
    main |= _names(kind)
    return [main, *(_sub_entry(kind, version, name, common) for name in kind.subresources)]


def _names(kind: Kind) -> Doc:
    names = {"shortNames": list(kind.short), "categories": list(kind.categories)}
    return {key: value for key, value in names.items() if value}


def _sub_entry(kind: Kind, version: str, name: str, common: Doc) -> Doc:
    answer, verbs = _SUBRESOURCES.get(name, (None, ("get",)))
    group, answered_version, answered_kind = answer or (kind.group, version, _answered_kind(kind, name))
    entry = {"name": f"{kind.plural}/{name}", "singularName": "", **common, "kind": answered_kind, "verbs": list(verbs)}
    return entry | ({"group": group, "version": answered_version} if answer else {})


def _answered_kind(kind: Kind, subresource: str) -> str:
    return f"{kind.kind}ProxyOptions" if subresource == "proxy" else kind.kind


def _verbs(kind: Kind) -> tuple[str, ...]:
    return kind.answers if kind.virtual else VERBS


def aggregated(kinds: Sequence[Kind], *, core: bool, version: str) -> Doc:
    """All groups with all their resources in one document; `version` is v2 or v2beta1."""
    names = [""] if core else groups(kinds)
    items = [_aggregated_group(kinds, group) for group in names]
    api_version = f"apidiscovery.k8s.io/{version}"
    return {"kind": "APIGroupDiscoveryList", "apiVersion": api_version, "metadata": {}, "items": items}


def _aggregated_group(kinds: Sequence[Kind], group: str) -> Doc:
    listed = [
        {
            "version": version,
            "resources": [_aggregated_resource(kind, version) for kind in served(kinds, group, version)],
            "freshness": "Current",
        }
        for version in versions(kinds, group)
    ]
    metadata: Doc = {"creationTimestamp": None}
    return {"metadata": {"name": group, **metadata} if group else metadata, "versions": listed}


def _aggregated_resource(kind: Kind, version: str) -> Doc:
    entry: Doc = {
        "resource": kind.plural,
        "responseKind": {"group": kind.group, "version": version, "kind": kind.kind},
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": list(_verbs(kind)),
    }
    entry |= _names(kind)
    if kind.subresources:
        entry["subresources"] = [_aggregated_sub(kind, version, name) for name in kind.subresources]
    return entry


def _aggregated_sub(kind: Kind, version: str, name: str) -> Doc:
    answer, verbs = _SUBRESOURCES.get(name, (None, ("get",)))
    group, answered_version, answered_kind = answer or (kind.group, version, _answered_kind(kind, name))
    answered = {"group": group, "version": answered_version, "kind": answered_kind}
    return {"subresource": name, "responseKind": answered, "verbs": list(verbs)}


def version_info(version: VersionInfo) -> Doc:
    """GET /version."""
    return {
        "major": version.major,
        "minor": version.minor,
        "gitVersion": version.git_version,
        "gitCommit": version.git_commit,
        "gitTreeState": "clean",
        "buildDate": version.build_date,
        "goVersion": "none",
        "compiler": "none",
        "platform": "linux/amd64",
    }
