"""What the mesh adds to pods on this node: Envoy's bootstrap, its socket, the redirect, and a stop without loss.

Implements kube.node.roles.Hooks.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.structs import replace

from semafor.app import bootstraps, identities, interception, pilot_agent, propagation, proxies
from semafor.app.pipeline import Pipeline
from semafor.envoy import bootstrap
from semafor.envoy.render import Renderer
from semafor.kube.images.host import python_executable
from semafor.kube.node.spec import Interception, Mount
from semafor.planner import Mesh, patches
from semafor.planner.telemetry import tracing

Pod = dict[str, Any]

BOOTSTRAP = "/etc/istio/proxy/envoy.json"
XDS_SOCKET = "/var/run/semafor/xds.sock"
DEBUG_SOCKET = "/var/run/semafor/debug.sock"
_DOORS_FOLDER = "/var/run/semafor"
# By what other pages and collectors are known, the mesh's own answer.
_DOORS = {
    "quay.io/kiali/kiali": ("page.sock",),
    **{
        f"{place}jaegertracing/{name}": ("jaeger.sock", "otlp.sock", "traces.sock")
        for place in ("", "docker.io/", "quay.io/")
        for name in ("jaeger", "all-in-one")
    },
}
_DOORS_NAMESPACE = "istio-system"
PROMETHEUS_SOCKET = "/var/run/semafor/prometheus.sock"
_LEAVE_TIMEOUT_S = 3.0  # a proxy that hangs must not keep a pod from ending


class Folders(NamedTuple):
    """On the host: the daemon's unix sockets, and what shows each pod's private memory, where its proxy's keys are."""

    sockets: Path
    private: Path


class Sidecars:
    """`renderer` patches what proxies start with."""

    def __init__(self, pipeline: Pipeline, tokens: proxies.ProxyTokens, folders: Folders, renderer: Renderer) -> None:
        self._renderer = renderer
        self._pipeline = pipeline
        self._tokens = tokens
        self._folders = folders

    def is_proxy(self, pod: Pod, container: str) -> bool:
        return any(proxies.is_proxy(each) for each in _containers(pod) if each["name"] == container)

    def files(self, pod: Pod, container: str) -> Mapping[str, bytes]:
        """Envoy's bootstrap, with a token of this pod's own."""
        if not self.is_proxy(pod, container):
            return {}
        return {BOOTSTRAP: self._bootstrap(pod)}

    def _bootstrap(self, pod: Pod) -> bytes:
        role = proxies.role(pod)
        if role == "discovery":
            return bootstrap.front(DEBUG_SOCKET, prometheus=PROMETHEUS_SOCKET)
        uid = pod["metadata"]["uid"]
        self._tokens.revoke(uid)
        options = replace(bootstraps.of(pod), xds_socket=XDS_SOCKET, token=self._tokens.mint(uid))
        made, known = bootstrap.sidecar(options), proxies.proxy(pod)
        return self._renderer.bootstrap(made, patches.of(self._pipeline.mesh, known)) if known else made

    def sockets(self, pod: Pod, container: str) -> tuple[Mount, ...]:
        if doors := _doors(pod, container):
            folder = self._folders.sockets
            return tuple(Mount(source=str(folder / door), target=f"{_DOORS_FOLDER}/{door}") for door in doors)
        if not self.is_proxy(pod, container):
            return propagation.mounts(pod)
        if proxies.role(pod) == "discovery":
            doors = (DEBUG_SOCKET, PROMETHEUS_SOCKET)
            return tuple(Mount(source=str(self._folders.sockets / Path(door).name), target=door) for door in doors)
        return (
            Mount(source=str(self._folders.sockets / "xds.sock"), target=XDS_SOCKET),
            Mount(source=str(self._folders.sockets / "otlp.sock"), target=tracing.SOCKET),
            Mount(source=str(self._folders.private), target=identities.KEYS, read_only=True),
        )

    def environment(self, pod: Pod, container: str, known: Mapping[str, str]) -> Mapping[str, str]:
        return {} if self.is_proxy(pod, container) else propagation.environment(pod, known)

    def interception(self, pod: Pod) -> Interception | None:
        return interception.of(pod)

    async def before_stop(self, pod: Pod) -> None:
        """Wait until no proxy would send the pod another request; at most a moment, for none may hang."""
        name = (pod["metadata"]["namespace"], pod["metadata"]["name"])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LEAVE_TIMEOUT_S):
                await self._pipeline.everywhere(_without(name))


def _without(name: tuple[str, str]) -> Callable[[Mesh], bool]:
    """Whether no service of the mesh sends anything to the pod."""

    def holds(mesh: Mesh) -> bool:
        addresses = (address for piece in mesh.slices.values() for address in piece.addresses)
        return not any(address.pod == name and address.ready for address in addresses)

    return holds


def _doors(pod: Pod, container: str) -> tuple[str, ...]:
    """The sockets of the daemon that the container leads to: by its image, where administrators put such things."""
    own = next((each for each in pod["spec"]["containers"] if each["name"] == container), None)
    image = own["image"].partition("@")[0].rpartition(":") if own else ("", "", "")
    return _DOORS.get(image[0] or image[2], ()) if pod["metadata"]["namespace"] == _DOORS_NAMESPACE else ()


def _containers(pod: Pod) -> list[Pod]:
    return [*(pod["spec"].get("initContainers") or []), *pod["spec"]["containers"]]


def tools(cache: Path, envoy: Path) -> dict[str, str]:
    """The files that the proxy's image shows: Envoy, and its agent as a script of this interpreter."""
    script = cache / "pilot-agent"
    script.write_text(f"#!{python_executable()} -IS\n{Path(pilot_agent.__file__).read_text()}")
    script.chmod(0o755)
    return {"/usr/local/bin/envoy": str(envoy), "/usr/local/bin/pilot-agent": str(script)}
