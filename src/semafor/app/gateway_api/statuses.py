"""Writes the statuses of the Gateway API's objects whenever they say something new. Others decide what they say."""

import asyncio
import logging
from typing import Any

from semafor.app.gateway_api import gateways, policies, routes
from semafor.app.gateway_api.gateways import Known
from semafor.app.objects import Client
from semafor.app.pipeline import Pipeline
from semafor.base import clock, names
from semafor.base.problem import ObjectRef, Problem
from semafor.base.status_error import StatusError
from semafor.planner.gateway_api import attach, backend_tls, listeners, naming, serving
from semafor.planner.gateway_api.backend_tls import State
from semafor.planner.gateway_api.listeners import GatewayState
from semafor.planner.gateway_api.route import Route
from semafor.planner.mesh import Mesh
from semafor.resources.core import service
from semafor.resources.gateway_api import (
    backend_tls_policy,
    gateway,
    gateway_class,
    grpc_route,
    http_route,
    listener_set,
    tcp_route,
    tls_route,
    udp_route,
)
from semafor.resources.kind import Kind

Doc = dict[str, Any]
log = logging.getLogger(__name__)

_ROUTES: tuple[Kind, ...] = (http_route.KIND, grpc_route.KIND, tls_route.KIND, tcp_route.KIND, udp_route.KIND)
_QUIET_S = 0.01  # acknowledgements that come together make one write
_LONGEST_UNTOLD_S = 1.0


async def run(pipeline: Pipeline, client: Client) -> None:
    """Keep the statuses up to date, for ever."""
    writer = _Writer(pipeline, client)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(writer.listen(), name="gateway api news")
        tasks.create_task(writer.write_forever(), name="gateway api statuses")


class _Writer:
    def __init__(self, pipeline: Pipeline, client: Client) -> None:
        self._pipeline = pipeline
        self._client = client
        self._told = asyncio.Event()
        self._told_of: Mesh | None = None  # the mesh that everything is written of

    async def listen(self) -> None:
        while True:
            await self._pipeline.feedback.news()
            self._told.set()

    async def write_forever(self) -> None:
        while True:
            await self._told.wait()
            await asyncio.sleep(_QUIET_S)
            self._told.clear()
            try:
                await self._write_all()
            except Exception:
                log.exception("statuses of the Gateway API could not be written")
                self._told_of = None
                await asyncio.sleep(_LONGEST_UNTOLD_S)
                self._told.set()

    async def _write_all(self) -> None:
        """Everything that is said of one and the same mesh. What proxies say changes the statuses of Gateways alone."""
        mesh, now = self._pipeline.mesh, clock.stamp(clock.now())
        problems = self._pipeline.problems()
        for state in listeners.states(mesh).values():
            await self._write_gateway(state, now, problems.get(state.gateway.ref, ()))
        if mesh is self._told_of:
            return
        self._told_of = mesh
        for found in mesh.gateway_classes.values():
            obj = self._client.get(gateway_class.KIND, "", found.name)
            if obj and found.is_ours:
                await self._write(gateway_class.KIND, obj, gateways.of_class(obj.get("status") or {}, found, now))
        for route in attach.routes(mesh):
            await self._write_route(route, now)
        for held in backend_tls.states(mesh).values():
            await self._write_policy(held, now)

    async def _write_policy(self, state: State, now: str) -> None:
        obj = self._stored(backend_tls_policy.KIND, state.policy.ref)
        if obj:
            fresh = policies.of(obj.get("status") or {}, self._pipeline.mesh, state, now)
            if fresh["ancestors"] or obj.get("status"):
                await self._write(backend_tls_policy.KIND, obj, fresh)

    async def _write_gateway(self, state: GatewayState, now: str, problems: tuple[Problem, ...]) -> None:
        attached, known = attach.attachments(self._pipeline.mesh), self._known(state, now, problems)
        obj = self._stored(gateway.KIND, state.gateway.ref)
        if obj:
            fresh = gateways.of_gateway(obj.get("status") or {}, state, attached, known)
            await self._write(gateway.KIND, obj, fresh)
        for each in state.sets:
            obj = self._stored(listener_set.KIND, each.listener_set.ref)
            if obj:
                fresh = gateways.of_set(obj.get("status") or {}, each, state, attached, known)
                await self._write(listener_set.KIND, obj, fresh)

    def _known(self, state: GatewayState, now: str, problems: tuple[Problem, ...]) -> Known:
        ref = state.gateway.ref
        served = next((each for each in serving.gateways(self._pipeline.mesh) if each.ref == ref), None)
        return Known(
            addresses=_addresses(self._service(state)),
            own=self._pipeline.count_at(ref, served.pods_in, served.selector)
            if served
            else self._pipeline.count_at(ref, "", ()),
            problems=problems,
            now=now,
        )

    def _service(self, state: GatewayState) -> Doc | None:
        """The Service of the Gateway: the one that it names, or the one made for it."""
        found = state.gateway
        host = serving.service_host(found.addresses, found.ref.namespace)
        if host is None:
            return self._client.get(
                service.KIND, found.ref.namespace, naming.workload(found.ref.name, found.class_name)
            )
        known = self._pipeline.mesh.by_host.get(host)
        return self._client.get(service.KIND, known.namespace, known.name) if known else None

    async def _write_route(self, route: Route, now: str) -> None:
        kind = next(kind for kind in _ROUTES if kind.kind == route.kind)
        obj = self._stored(kind, route.ref)
        if obj:
            fresh = routes.of(obj, self._pipeline.mesh, route, now)
            if fresh["parents"] or obj.get("status"):
                await self._write(kind, obj, fresh)

    def _stored(self, kind: Kind, ref: ObjectRef) -> Doc | None:
        return self._client.get(kind, ref.namespace, ref.name)

    async def _write(self, kind: Kind, obj: Doc, fresh: Doc) -> None:
        if fresh == (obj.get("status") or {}):
            return
        meta = obj["metadata"]
        try:
            namespace = meta.get("namespace", "")
            await self._client.patch(kind, namespace, meta["name"], {"status": fresh}, subresource="status")
        except StatusError as error:
            self._told_of = None  # it has changed or is gone; if not, it is tried again
            log.debug("status of %s %s: %s", kind.kind, meta["name"], error)


def _addresses(obj: Doc | None) -> tuple[tuple[str, str], ...]:
    """Types and values: what the balancer has got, or for other Services the name within the cluster."""
    if obj is None:
        return ()
    spec, status = obj["spec"], obj.get("status") or {}
    if spec.get("type") != "LoadBalancer":
        meta = obj["metadata"]
        host = names.service_host(meta["name"], meta["namespace"])
        return (("Hostname", host),) if spec.get("clusterIP") else ()
    found = (status.get("loadBalancer") or {}).get("ingress") or ()
    return tuple(("IPAddress", each["ip"]) if each.get("ip") else ("Hostname", each["hostname"]) for each in found)
