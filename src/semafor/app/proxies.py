"""Which pods are proxies, and what each is called: read off pod documents. Pure, apart from the table of tokens."""

import secrets
from collections.abc import Iterator
from typing import Any, Literal

from semafor.app import inject, proxy_config, stats_annotations, topology
from semafor.app import leaf_life as leaf_lives
from semafor.base import names, peer
from semafor.base.problem import ObjectRef, Problem
from semafor.planner.proxy import Proxy, Workload

Pod = dict[str, Any]

NODE = "node"  # the id of the node's own Envoy
HOST = "host"  # the id of the host's
_IMAGE = inject.IMAGE.rpartition("/")[2]
_ROLES: dict[str, Literal["sidecar", "gateway"]] = {"sidecar": "sidecar", "router": "gateway"}


def role(pod: Pod) -> str:
    """What the pod's proxy is: "sidecar", "router", "discovery", or "" when it has none."""
    spec = pod["spec"]
    for container in (*(spec.get("initContainers") or ()), *spec["containers"]):
        if is_proxy(container):
            arguments: list[str] = container.get("args") or []
            return arguments[1] if len(arguments) > 1 else "sidecar"
    return ""


def container(pod: Pod) -> str:
    """The name of the container with the pod's proxy; empty when it has none."""
    spec = pod["spec"]
    every = (*(spec.get("initContainers") or ()), *spec["containers"])
    return next((str(each["name"]) for each in every if is_proxy(each)), "")


def is_proxy(container: Pod) -> bool:
    """Whether the container runs Envoy for the mesh: by its image, whatever registry and tag it carries."""
    image = str(container["image"]).partition("@")[0].rpartition("/")[2]
    return image.split(":")[0] == _IMAGE


def proxy(pod: Pod) -> Proxy | None:
    """The sidecar or gateway of the pod as the planner wants it; None before it has an address, or without a proxy."""
    ip, own = pod.get("status", {}).get("podIP", ""), role(pod)
    if own not in _ROLES or not ip:
        return None
    metadata, spec = pod["metadata"], pod["spec"]
    workload = Workload(
        namespace=metadata["namespace"],
        name=metadata["name"],
        ip=ip,
        labels=tuple(sorted((metadata.get("labels") or {}).items())),
        service_account=spec.get("serviceAccountName") or "default",
        ports=_ports(spec, of_proxy=_ROLES[own] == "gateway"),
        of=_controlled_by(metadata),
    )
    edge = topology.of_pod(metadata.get("annotations") or {}) if _ROLES[own] == "gateway" else None
    known = node_metadata(pod)
    revision = (metadata.get("annotations") or {}).get("istio.io/rev", "")
    return Proxy(
        id=metadata["uid"],
        role=_ROLES[own],
        workloads=(workload,),
        edge=edge,
        metadata=known,
        revision="" if revision == inject.REVISION else revision,
    )


def node_metadata(pod: Pod) -> tuple[tuple[str, str], ...]:
    """What is known of the pod's proxy by Istio's names; its own variables come last, and win."""
    metadata, spec = pod["metadata"], pod["spec"]
    own: Pod = next((one for one in (*(spec.get("initContainers") or ()), *spec["containers"]) if is_proxy(one)), {})
    known = {
        "ISTIO_VERSION": names.ISTIO_VERSION,
        "CLUSTER_ID": "Kubernetes",
        "MESH_ID": names.TRUST_DOMAIN,
        "NAME": metadata["name"],
        "NAMESPACE": metadata["namespace"],
        "SERVICE_ACCOUNT": spec.get("serviceAccountName") or "default",
        "WORKLOAD_NAME": _controlled_by(metadata),
    }
    return tuple(sorted({**known, **_words(pod), **dict(proxy_config.metadata(own))}.items()))


def _words(pod: Pod) -> dict[str, str]:
    """What metrics call the proxy's own side, as the proxy's variables will say it."""
    called = told_peer(pod)
    return {f"SEMAFOR_{field.upper()}": getattr(called, field) or "unknown" for field in called.__struct_fields__}


def told_peer(pod: Pod) -> peer.Peer:
    """What metrics call the pod."""
    metadata = pod["metadata"]
    return peer.of(_controlled_by(metadata), metadata["namespace"], metadata.get("labels") or {})


def _controlled_by(metadata: Pod) -> str:
    """The Deployment, or what else the pod is one of."""
    owners = ((one["kind"], one["name"]) for one in metadata.get("ownerReferences") or () if one.get("controller"))
    return peer.workload(metadata["name"], next(owners, ("", "")), metadata.get("labels") or {})


def leaf_life(pod: Pod) -> leaf_lives.Life:
    """How long the certificate of the pod's proxy lives."""
    return leaf_lives.read(_environment(pod))


def problems(pod: Pod) -> Iterator[Problem]:
    """What of the environment of the pod's proxy, and of annotations for it, is not understood."""
    metadata, environment = pod["metadata"], _environment(pod)
    name = metadata.get("name") or metadata.get("generateName", "")
    ref = ObjectRef(kind="Pod", name=name, namespace=metadata.get("namespace", ""))
    yield from stats_annotations.problems(metadata.get("annotations") or {}, ref)
    for variable in leaf_lives.NAMES:
        if why := variable in environment and leaf_lives.flaw(variable, environment[variable]):
            message = f"{variable} counts as absent: {why}"
            yield Problem(ref=ref, path="env of its proxy", reason="InvalidValue", message=message, fix="mend it")


def _environment(pod: Pod) -> dict[str, str]:
    spec = pod["spec"]
    every = (*(spec.get("initContainers") or ()), *(spec.get("containers") or ()))
    own: Pod = next((one for one in every if is_proxy(one)), {})
    return {each["name"]: each.get("value", "") for each in own.get("env") or ()}


def _ports(spec: Pod, *, of_proxy: bool) -> tuple[tuple[str, int], ...]:
    """The named ports of the app's containers, or of the proxy that is all there is in a gateway's pod."""
    return tuple(
        (port.get("name", ""), int(port["containerPort"]))
        for container in spec["containers"]
        if is_proxy(container) == of_proxy
        for port in container.get("ports") or ()
    )


class ProxyTokens:
    """Who may ask for which configuration: a random token for each proxy, known to it and to us alone.

    They live in memory. Pods end with the daemon, so a new daemon makes new ones.
    """

    def __init__(self) -> None:
        self._proxies: dict[str, str] = {}

    def mint(self, proxy_id: str) -> str:
        token = secrets.token_urlsafe(32)
        self._proxies[token] = proxy_id
        return token

    def proxy(self, token: str) -> str | None:
        return self._proxies.get(token)

    def revoke(self, proxy_id: str) -> None:
        self._proxies = {token: known for token, known in self._proxies.items() if known != proxy_id}
