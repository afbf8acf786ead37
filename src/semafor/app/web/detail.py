"""One workload, one app, one service: its pods, what is for it, its logs, and Envoy's own view. `/api/workloads`, ...

Services are at `/api/mesh/services`: where people look for Jaeger, `/api/services` is Jaeger's.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from semafor.app import inject, proxies
from semafor.app.web import config, related, workloads
from semafor.app.web.gate import problem
from semafor.app.web.sources import Sources
from semafor.app.web.workloads import Workload
from semafor.kube.api.node import Node, NodeError
from semafor.kube.store import Store

Doc = dict[str, Any]

# What Envoy's admin interface may be asked here: it tells, and changes nothing.
VIEWS = ("clusters", "listeners", "config_dump", "certs", "stats", "server_info", "memory")
_MAX_BYTES = 8_000_000
_LOG_LINES = 500
_ENVOY_TIMEOUT_S = 10.0


class Detail:
    """Reads what is asked for; the logs and Envoy's view come from the node."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def routes(self) -> tuple[BaseRoute, ...]:
        return (
            Route("/api/workloads", self.workloads),
            Route("/api/workloads/{namespace}/{name}", self.workload),
            Route("/api/apps/{namespace}/{name}", self.app),
            Route("/api/mesh/services", self.services),
            Route("/api/mesh/services/{namespace}/{name}", self.service),
            Route("/api/logs/{namespace}/{pod}/{container}", self.log),
            Route("/api/envoy/{namespace}/{pod}/{view}", self.envoy),
        )

    async def workloads(self, _: Request) -> Response:
        return JSONResponse({"workloads": [each.document for each in workloads.found(self._sources.objects.store)]})

    async def workload(self, request: Request) -> Response:
        """A workload with its pods, services and the rules that are for it."""
        wanted, store = _key(request), self._sources.objects.store
        found = next((each for each in workloads.found(store) if each.key == wanted), None)
        if found is None:
            return problem(404, "NotFound", "there is no such workload")
        services = workloads.services_of(found.labels, found.namespace, store.list("services")[0])
        return JSONResponse(
            {
                **found.document,
                "labels": dict(found.labels),
                "pods": [_pod(each) for each in found.pods],
                "services": services,
                "rules": self._rules(related.of_workload(store, found, services)),
            }
        )

    async def app(self, request: Request) -> Response:
        """An app: its workloads, which are its versions, with all that is for any of them, once."""
        (namespace, name), store = _key(request), self._sources.objects.store
        own = [each for each in workloads.found(store) if (each.namespace, each.app) == (namespace, name)]
        if not own:
            return problem(404, "NotFound", "there is no such app")
        services: dict[str, None] = {}
        rules: dict[Any, related.Rule] = {}
        for each in own:
            called = workloads.services_of(each.labels, namespace, store.list("services")[0])
            services |= dict.fromkeys(called)
            for rule in related.of_workload(store, each, called):
                rules.setdefault((rule[0].resource, *_named(rule[1])), rule)
        return JSONResponse(
            {
                "namespace": namespace,
                "name": name,
                "workloads": [each.document for each in own],
                "services": list(services),
                "pods": [_pod(pod) for each in own for pod in each.pods],
                "rules": self._rules(list(rules.values())),
            }
        )

    async def services(self, _: Request) -> Response:
        store = self._sources.objects.store
        known = workloads.found(store)
        return JSONResponse({"services": [_service(each, known, store) for each in store.list("services")[0]]})

    async def service(self, request: Request) -> Response:
        """A service with its ports, the workloads behind it and the rules that are for it."""
        namespace, name = _key(request)
        store = self._sources.objects.store
        found = store.get("services", namespace, name)
        if found is None:
            return problem(404, "NotFound", "there is no such service")
        rules = self._rules(related.of_service(store, namespace, name))
        known = workloads.found(store)
        told = _service(found, known, store)
        behind = {each["name"] for each in told["workloads"]}
        pods = [_pod(pod) for each in known if each.namespace == namespace and each.name in behind for pod in each.pods]
        return JSONResponse({**told, "pods": pods, "rules": rules})

    def _rules(self, found: list[related.Rule]) -> list[Doc]:
        problems = self._sources.control.problems()
        return [{**config.row(kind, obj, problems), "why": why} for kind, obj, why in found]

    async def log(self, request: Request) -> Response:
        """The last lines of a container's log."""
        asked, node = request.path_params, self._sources.node
        pod = self._sources.objects.store.get("pods", asked["namespace"], asked["pod"])
        if pod is None or node is None or asked["container"] not in workloads.containers(pod):
            return problem(404, "NotFound", "there is no such container")
        try:
            return PlainTextResponse(await _text(_log(node, pod, asked["container"])))
        except NodeError as error:
            return problem(409, "NotNow", str(error))

    async def envoy(self, request: Request) -> Response:
        """What the pod's own Envoy says, by its agent: the same as `pilot-agent request GET`."""
        asked, node = request.path_params, self._sources.node
        pod = self._sources.objects.store.get("pods", asked["namespace"], asked["pod"])
        if pod is None or node is None or not proxies.role(pod) or asked["view"] not in VIEWS:
            return problem(404, "NotFound", "there is no such proxy or view")
        try:
            async with asyncio.timeout(_ENVOY_TIMEOUT_S):
                argv = ("pilot-agent", "request", "GET", f"/{asked['view']}")
                process = await node.exec(pod, inject.CONTAINER, argv, tty=False, stdin=False)
                text = await _text(process.stdout)
                await process.wait()
        except (NodeError, TimeoutError) as error:
            return problem(409, "NotNow", str(error) or "the proxy does not answer")
        return PlainTextResponse(text)


def _key(request: Request) -> tuple[str, str]:
    return request.path_params["namespace"], request.path_params["name"]


def _named(obj: Doc) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def _log(node: Node, pod: Doc, container: str) -> AsyncIterator[bytes]:
    return node.logs(
        pod,
        container,
        previous=False,
        follow=False,
        tail=_LOG_LINES,
        since=None,
        timestamps=False,
        limit_bytes=_MAX_BYTES,
    )


async def _text(chunks: AsyncIterator[bytes]) -> str:
    """Everything that comes, up to a bound."""
    found = bytearray()
    async for chunk in chunks:
        found += chunk
        if len(found) > _MAX_BYTES:
            break
    return found[:_MAX_BYTES].decode(errors="replace")


def _pod(pod: Doc) -> Doc:
    metadata, status = pod["metadata"], pod.get("status") or {}
    return {
        "name": metadata["name"],
        "ip": status.get("podIP", ""),
        "phase": status.get("phase", "Pending"),
        "ready": workloads.is_ready(pod),
        "restarts": workloads.restarts(pod),
        "created": metadata.get("creationTimestamp", ""),
        "containers": workloads.containers(pod),
        "proxy": proxies.role(pod),
        "waiting": _waiting(status),
    }


def _waiting(status: Doc) -> str:
    """Why a container does not run, as Kubernetes words it."""
    for each in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        state = (each.get("state") or {}).get("waiting")
        if state:
            return f"{each['name']}: {state.get('reason', '')} {state.get('message', '')}".strip()
    return ""


def _service(obj: Doc, known: list[Workload], store: Store) -> Doc:
    metadata, spec = obj["metadata"], obj["spec"]
    namespace, selector = metadata["namespace"], spec.get("selector") or {}
    behind = [
        each.document
        for each in known
        if each.namespace == namespace and selector and selector.items() <= each.labels.items()
    ]
    ports = [
        {"name": each.get("name", ""), "port": each["port"], "protocol": each.get("appProtocol", "")}
        for each in spec.get("ports") or ()
    ]
    return {
        "namespace": namespace,
        "name": metadata["name"],
        "type": spec.get("type", "ClusterIP"),
        "ip": spec.get("clusterIP", ""),
        "ports": ports,
        "workloads": behind,
        "subsets": related.subsets(store, namespace, metadata["name"]),
    }
