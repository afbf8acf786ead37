"""The golden cases: folders `tests/golden/<area>/<case>/` with these files.

in.yaml     the objects, added to those of base.yaml (an agent, a model in two versions, its tools...)
case.yaml   optional: `proxy` whose plan is shown (a pod, "namespace/name", or "node"), `options` of the mesh, `show`:
            parts of the plan, by patterns on names; without it, the routes that VirtualServices and their like made;
            `telemetry: true` also shows what the proxy tells of its traffic
plan.yaml   what the planner makes of it, and the problems; written by `make golden`
calls.txt   optional: requests and where they have to go
"""

import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import ryaml

from semafor import ir, planner, resources
from semafor.base import names
from semafor.base.problem import Problem
from semafor.ir import Origin
from semafor.planner import Mesh, Options, Proxy, Workload
from semafor.planner.routes import http_action
from semafor.planner.services.instances import GATEWAY, SIDECAR
from semafor.resources import registry

ROOT = Path(__file__).parent
BASE = ROOT / "base.yaml"
_SAY_ROUTES = ("VirtualService", "TrafficSplit")
_OF_TELEMETRY = frozenset({"metrics", "logs", "tracing", "peer", "named", "service"})


def folders() -> list[Path]:
    return sorted(path.parent for path in ROOT.glob("*/*/in.yaml"))


class Case:
    """One case, read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        said = folder / "case.yaml"
        self.settings: dict[str, Any] = ryaml.loads(said.read_text()) if said.exists() else {}
        self.documents = [*documents(BASE), *documents(folder / "in.yaml")]
        options = msgspec.convert(self.settings.get("options", {}), Options)
        self.mesh = Mesh.of([decoded(document) for document in self.documents], options)

    def proxy(self, name: str = "") -> Proxy:
        """The proxy of a pod, or the node's own."""
        name = name or self.settings.get("proxy", "default/agent-1")
        if name == "node":
            return Proxy(id="node", role="node", egress="/run/egress.sock")
        namespace, _, pod = name.rpartition("/")
        wanted = ("Pod", namespace or "default", pod)
        found = next(document for document in self.documents if key(document) == wanted)
        is_gateway = any(GATEWAY in each.get("args", ()) for each in found["spec"]["containers"])
        role = "gateway" if is_gateway else "sidecar"
        return Proxy(id=f"{pod}.{namespace or 'default'}", role=role, workloads=(workload(found),))

    def plan(self, name: str = "") -> tuple[ir.Plan, tuple[Problem, ...]]:
        return planner.plan(self.mesh, self.proxy(name))

    def identity(self, pod: str) -> str:
        """What the pod's certificate proves; nothing for no pod. An identity written out is itself."""
        if pod.startswith("spiffe://"):
            return pod
        workloads = self.proxy(pod).workloads if pod else ()
        domain = self.mesh.options.trust_domain
        return names.spiffe_id(workloads[0].namespace, workloads[0].service_account, domain) if workloads else ""

    def certificate(self, secret: str) -> tuple[str, str]:
        """The certificate and key of a Secret, `name` or `namespace/name`; empty texts for no Secret."""
        namespace, _, name = secret.rpartition("/")
        found = self.mesh.credentials.get((namespace or "default", name))
        return (found.certificate, found.key) if found else ("", "")

    def names(self) -> dict[str, str]:
        """The addresses of services, and of pods with names of their own, as the cluster's DNS knows them."""
        found = {}
        for service in self.mesh.by_host.values():
            pods = self.mesh.instances(service) if service.headless else ()
            found |= {f"{pod.hostname}.{service.host}": pod.ip for pod in pods if pod.hostname}
            address = pods[0].ip if pods else service.address
            found |= {service.host: address} if address else {}
        return found

    def shown(self) -> str:
        """The text of plan.yaml."""
        plan, problems = self.plan()
        parts = show(plan, self.settings.get("show"))
        parts = parts if self.settings.get("telemetry") else _silent(parts)
        told = [f"{problem.severity} {problem.reason}: {problem}" for problem in problems]
        return str(ryaml.dumps({**parts, **({"problems": told} if told else {})}))


def _silent(node: Any) -> Any:
    """Without what proxies tell of their traffic, which would be everywhere."""
    if isinstance(node, list):
        return [_silent(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {key: _silent(value) for key, value in node.items() if not _tells(key, value)}


def _tells(key: str, value: Any) -> bool:
    return key in _OF_TELEMETRY and (key != "service" or isinstance(value, dict))


def documents(path: Path) -> list[dict[str, Any]]:
    return [document for document in ryaml.loads_all(path.read_text()) if document]


def key(document: dict[str, Any]) -> tuple[str, str, str]:
    meta = document["metadata"]
    return document["kind"], meta.get("namespace", "default"), meta["name"]


def decoded(document: dict[str, Any]) -> Any:
    """The typed view; in the namespace `default` where it has to be in one and names none."""
    group = document["apiVersion"].rpartition("/")[0]
    kind = registry.by_kind(group, document["kind"])
    assert kind is not None, document["kind"]
    meta = {"namespace": "default", **document["metadata"]} if kind.namespaced else document["metadata"]
    return resources.decode(kind, {**document, "metadata": meta})


def workload(pod: dict[str, Any]) -> Workload:
    meta, spec = pod["metadata"], pod["spec"]
    return Workload(
        namespace=meta.get("namespace", "default"),
        name=meta["name"],
        labels=tuple(sorted(meta.get("labels", {}).items())),
        service_account=spec.get("serviceAccountName", "default"),
        ports=tuple(
            (port["name"], port["containerPort"])
            for container in spec["containers"]
            if container["name"] != SIDECAR or GATEWAY in container.get("args", ())
            for port in container.get("ports", ())
            if "name" in port
        ),
    )


def show(plan: ir.Plan, patterns: dict[str, Any] | None) -> dict[str, Any]:
    """The chosen parts of a plan, short enough to be read."""
    if patterns is None:
        routed = [host for table in plan.routes for host in table.hosts if _is_routed(host)]
        return {"hosts": {host.name: short(host) for host in routed}}
    shown: dict[str, Any] = {}
    for part, wanted in patterns.items():
        if part == "dns":
            shown["dns"] = short(plan.dns)
        else:
            found = {name: short(node) for name, node in _named(plan, part) if _matches(name, wanted)}
            shown[part] = found
    return shown


def _is_routed(host: ir.VirtualHost) -> bool:
    return any(route.origin and route.origin.ref.kind in _SAY_ROUTES for route in host.routes)


def _named(plan: ir.Plan, part: str) -> list[tuple[str, Any]]:
    match part:
        case "listeners":
            return [(listener.name, listener) for listener in plan.listeners]
        case "hosts":
            return [(f"{table.name}/{host.name}", host) for table in plan.routes for host in table.hosts]
        case "clusters":
            return [(cluster.name, cluster) for cluster in plan.clusters]
        case "patches":
            return [(str(patch.origin), patch) for patch in plan.patches]
        case "endpoints":
            return [(found.cluster, found) for found in plan.endpoints]
        case "credentials":  # by their names alone: nobody reads the rest
            return [(found.name, "there") for found in plan.credentials]
    raise AssertionError(f"no part of a plan is called {part}")


def _matches(name: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def short(node: Any) -> Any:
    """A node without the fields that have their defaults; an origin in its words."""
    if isinstance(node, Origin):
        return str(node)
    if isinstance(node, ir.Credential):
        return node.name
    if node == http_action.DEFAULT_RETRY:
        return "Istio's default"
    if isinstance(node, bytes):
        return node.hex(" ")
    if isinstance(node, tuple):
        return [short(item) for item in node]
    if not isinstance(node, msgspec.Struct):
        return node
    config = node.__struct_config__
    tag = {"is": config.tag} if config.tag else {}
    return tag | {
        name: short(getattr(node, name)) for name, default in fields(type(node)) if getattr(node, name) != default
    }


@cache
def fields(type_: type[msgspec.Struct]) -> list[tuple[str, Any]]:
    return [(field.name, field.default) for field in msgspec.structs.fields(type_)]
