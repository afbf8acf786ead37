"""What an Envoy says of itself: its own admin interface, asked by the program in its container that stands for it.

Only what reads, and the levels of its log. Nothing secret leaves: Envoy keeps private keys to itself, and the token
with which it asks for its configuration is taken out here.
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from semafor import ir
from semafor.app import envoy_tables, proxies
from semafor.app.envoy_tables.documents import Documents
from semafor.app.fleet import Fleet
from semafor.base.problem import ObjectRef
from semafor.kube.api.errors import StatusError
from semafor.kube.api.node import Node, NodeError

Doc = dict[str, Any]

_AGENT = "pilot-agent"
_TIMEOUT_S = 15.0
_READABLE: Mapping[str, str] = {
    "config_dump": "config_dump?include_eds",
    "clusters": "clusters?format=json",
    "server_info": "server_info",
    "stats": "stats?format=json&usedonly",
    "metrics": "stats/prometheus?usedonly",
}
_LEVELS = frozenset({"trace", "debug", "info", "warning", "error", "critical", "off"})
_LOGGER = re.compile(r"[a-z][a-z0-9_]*")
_SECRET_HEADERS = frozenset({"authorization"})
_ENDED = ("Succeeded", "Failed")
_REDACTED = "[redacted]"


class Pods(Protocol):
    """Finds the document of a pod; None where there is none."""

    def __call__(self, namespace: str, name: str) -> Doc | None: ...


class Admin:
    """Asks the Envoys of pods."""

    def __init__(self, pods: Pods, node: Node) -> None:
        self.pods = pods
        self.node = node

    async def read(self, namespace: str, name: str, what: str) -> Any:
        """One of the documents that Envoy shows; texts where they are no JSON. Raises StatusError."""
        if what not in _READABLE:
            raise StatusError(404, "NotFound", f"an Envoy is asked for {', '.join(_READABLE)}, not for {what}")
        content = await self._ask(namespace, name, "GET", _READABLE[what])
        if what == "metrics":
            return content.decode(errors="replace")
        try:
            return redacted(msgspec.json.decode(content))
        except msgspec.DecodeError as error:
            raise StatusError(502, "BadGateway", f"the Envoy of {namespace}/{name} said no JSON: {error}") from error

    async def table(self, namespace: str, name: str, what: str, origins: Doc) -> Doc:
        """One of the tables of `semafor proxy-config`: its header and its rows. Raises StatusError."""
        part = envoy_tables.PARTS.get(what)
        if part is None:
            raise StatusError(404, "NotFound", f"there are tables of {', '.join(envoy_tables.PARTS)}, not of {what}")
        source = "clusters" if what == "endpoints" else "config_dump"
        found = {source: await self.read(namespace, name, source), "origins": origins}

        def rows() -> list[tuple[str, ...]]:
            documents = Documents(found.__getitem__)
            made: list[tuple[str, ...]] = part.rows(documents, part.chosen(documents, {}))
            return made

        # The dump of a large mesh is megabytes, which would hold up everything else.
        return {"header": part.HEADER, "rows": await asyncio.to_thread(rows)}

    def running(self, table: list[Doc]) -> list[Doc]:
        """The rows of the table of proxies whose pods have not ended."""
        return [row for row in table if self._runs(*row["proxy"].rpartition(".")[::2])]

    def _runs(self, name: str, namespace: str) -> bool:
        pod = self.pods(namespace, name)
        return pod is not None and pod.get("status", {}).get("phase") not in _ENDED

    async def log_levels(self, namespace: str, name: str, body: bytes) -> dict[str, str]:
        """The levels of all loggers, after those that the body wants are set; `all` stands for every logger."""
        try:
            wanted = msgspec.json.decode(body or b"{}", type=dict[str, str])
        except msgspec.MsgspecError as error:
            raise StatusError(400, "BadRequest", f"the levels are not understood: {error}") from error
        for logger, level in wanted.items():
            if level not in _LEVELS or not _LOGGER.fullmatch(logger):
                raise StatusError(400, "BadRequest", f"{logger}:{level} is no logger and level of Envoy's")
            key = "level" if logger == "all" else logger
            await self._ask(namespace, name, "POST", f"logging?{key}={level}")
        content = await self._ask(namespace, name, "POST", "logging")
        return dict(_levels(content.decode(errors="replace")))

    async def _ask(self, namespace: str, name: str, method: str, path: str) -> bytes:
        pod = self.pods(namespace, name)
        if pod is None:
            raise StatusError(404, "NotFound", f"there is no pod {name} in the namespace {namespace}")
        container = proxies.container(pod)
        if not container:
            raise StatusError(409, "Conflict", f"{namespace}/{name} has no proxy")
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                process = await self.node.exec(
                    pod, container, (_AGENT, "request", method, path), tty=False, stdin=False
                )
                content = b"".join([chunk async for chunk in process.stdout])
                code = await process.wait()
        except (NodeError, TimeoutError) as error:
            said = str(error) or "no answer in time"
            raise StatusError(
                503, "ServiceUnavailable", f"the Envoy of {namespace}/{name} cannot be asked: {said}"
            ) from error
        if code:
            raise StatusError(502, "BadGateway", f"the Envoy of {namespace}/{name} refuses {method} {path}")
        return content


def _levels(text: str) -> list[tuple[str, str]]:
    """The lines `  name: level` below a heading."""
    pairs = (line.strip().partition(": ") for line in text.splitlines() if line.startswith("  "))
    return [(name, level) for name, _, level in pairs]


def redacted(node: Any) -> Any:
    """The document with the values of headers that prove who asks taken out."""
    if isinstance(node, list):
        return [redacted(each) for each in node]
    if not isinstance(node, dict):
        return node
    if str(node.get("key", "")).lower() in _SECRET_HEADERS and "value" in node:
        return {**node, "value": _REDACTED}
    return {key: redacted(value) for key, value in node.items()}


class Origins(msgspec.Struct):
    """Which rules made what: clusters by name; routes by table and virtual host, in their order."""

    clusters: dict[str, str]
    routes: dict[str, dict[str, list[str]]]


def origins(fleet: Fleet, pod: str) -> Origins:
    """The same of the newest plan of the pod `namespace/name`."""
    plan = fleet.plan_of_pod(pod)
    if plan is None:
        return Origins({}, {})
    ruled = {each.name: _rule(each.origin, "DestinationRule") for each in plan.clusters}
    inline = (
        chain.filter.routes
        for listener in plan.listeners
        for chain in listener.chains
        if isinstance(chain.filter, ir.HttpConnection) and chain.filter.routes
    )
    tables = {table.name: {host.name: _routes(host) for host in table.hosts} for table in (*inline, *plan.routes)}
    return Origins({name: rule for name, rule in ruled.items() if rule}, tables)


def _routes(host: ir.VirtualHost) -> list[str]:
    return [_rule(route.origin, "") for route in host.routes]


def _rule(origin: ir.Origin | None, kind: str) -> str:
    """The object as istioctl writes it, `name.namespace`; empty for a service, which is no rule."""
    ref: ObjectRef | None = origin.ref if origin else None
    if ref is None or ref.kind == "Service" or (kind and ref.kind != kind):
        return ""
    return f"{ref.name}.{ref.namespace}"
