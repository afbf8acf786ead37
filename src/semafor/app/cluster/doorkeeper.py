"""Which pod's proxy it is that connects, and what it starts with.

    agent ── its service account's token, a certificate request ──▶ enrol: TokenReview ──▶ certificate, bootstrap
    Envoy ── that certificate, the name of its pod ───────────────▶ who: is it that pod's identity? ──▶ its plan

A pod can show no other pod's configuration but that of one with the same identity, which could show it just as well.
"""

import logging
import re
from datetime import timedelta
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from semafor.app import bootstraps, leaf_life
from semafor.app.cluster import secrets
from semafor.app.fleet import Fleet
from semafor.app.pipeline import Pipeline
from semafor.base import clock, names, peer
from semafor.base.status_error import StatusError
from semafor.base.struct import Value
from semafor.ca import issue
from semafor.ca.authority import Authority
from semafor.ca.issue import RequestError
from semafor.cluster.client import Client
from semafor.envoy import bootstrap
from semafor.envoy.bootstrap import Remote
from semafor.envoy.render import Renderer
from semafor.planner import Proxy, patches
from semafor.resources.core import pod as pod_kind
from semafor.xds.doors import Caller, NotYet
from semafor.xds.session import Refused as RefusedByEnvoy
from semafor.xds.session import Settled

log = logging.getLogger(__name__)

Doc = dict[str, Any]
AUDIENCE: Final = "istio-ca"  # of the tokens that are mounted for proxies; Istio's
_REVIEWS: Final = "/apis/authentication.k8s.io/v1/tokenreviews"
_POD: Final = "authentication.kubernetes.io/pod-name"
_ACCOUNT: Final = re.compile(r"system:serviceaccount:([^:]+):([^:]+)")
_LONGEST: Final = timedelta(days=90)


class Request(Value):
    """What an agent sends: a certificate request in PEM, and where the proxy will find what comes of it."""

    request: str
    folder: str = secrets.FOLDER
    lifetime: str = ""


class Parts(NamedTuple):
    """Who works together here."""

    client: Client
    fleet: Fleet
    pipeline: Pipeline
    renderer: Renderer
    authority: Authority


class Doorkeeper:
    """`address` is where proxies find the control plane: host, port, and the name that its certificate bears."""

    def __init__(self, parts: Parts, address: tuple[str, int, str]) -> None:
        self._parts = parts
        self._address = address

    def listens_at(self, port: int) -> None:
        """Say which port it has become."""
        host, _, name = self._address
        self._address = (host, port, name)

    # --- agents ---

    async def enrol(self, token: str, asked: Request) -> Doc:
        """A certificate for whom the token is of, and what its Envoy starts with. Raises StatusError."""
        account, name = await self._review(token)
        found = self._parts.client.get(pod_kind.KIND, account[0], name)
        proxy = self._parts.fleet.proxy_of_pod(f"{account[0]}/{name}")
        if found is None or proxy is None:
            raise StatusError(503, "NotYet", f"nothing is known of the pod {account[0]}/{name} yet, or it has no proxy")
        workload = proxy.workloads[0]
        if (workload.namespace, workload.service_account) != account:
            raise StatusError(403, "Forbidden", f"the pod {name} is not of the service account {'/'.join(account)}")
        who = issue.Name(self._spiffe_id(proxy), peer.text(workload.peer))
        lifetime = leaf_life.read({leaf_life.LIFETIME: asked.lifetime}).lifetime
        try:
            made = issue.issue(
                self._parts.authority, asked.request.encode(), who, now=clock.now(), lifetime=min(lifetime, _LONGEST)
            )
        except RequestError as error:
            raise StatusError(400, "BadRequest", str(error)) from error
        return {
            "certificate": made.pem.decode(),
            "roots": self._parts.authority.root_pem.decode(),
            "seconds": int((made.not_after - clock.now()).total_seconds()),
            "bootstrap": self._bootstrap(found, proxy, asked.folder).decode(),
        }

    async def _review(self, token: str) -> tuple[tuple[str, str], str]:
        """The service account, namespace and name, and the pod that the token was made for."""
        spec = {"token": token, "audiences": [AUDIENCE]}
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": spec}
        status = (await self._parts.client.api.post(_REVIEWS, review)).get("status") or {}
        user = status.get("user") or {}
        known = _ACCOUNT.fullmatch(str(user.get("username", "")))
        if not status.get("authenticated") or known is None:
            raise StatusError(401, "Unauthorized", status.get("error") or "the token is of no service account")
        if AUDIENCE not in (status.get("audiences") or ()):
            raise StatusError(401, "Unauthorized", f"the token is not for {AUDIENCE}")
        pods: list[str] = (user.get("extra") or {}).get(_POD) or []
        if len(pods) != 1:
            raise StatusError(403, "Forbidden", "the token was made for no pod")
        return (known[1], known[2]), pods[0]

    def _bootstrap(self, found: Doc, proxy: Proxy, folder: str) -> bytes:
        host, port, name = self._address
        workload = proxy.workloads[0]
        remote = Remote(
            host=host,
            port=port,
            name=name,
            pod=f"{workload.namespace}/{workload.name}",
            identity=f"{folder}/identity.json",
            roots=f"{folder}/roots.json",
            watched=folder,
        )
        options = replace(bootstraps.of(found), remote=remote, mark=0)  # by its user, not by a mark, it is told apart
        made = bootstrap.sidecar(options)
        return self._parts.renderer.bootstrap(made, patches.of(self._parts.pipeline.mesh, proxy))

    # --- Envoys ---

    async def who(self, caller: Caller) -> str | None:
        """The id of the pod's proxy if the certificate is of its identity. Raises NotYet."""
        proxy = self._parts.fleet.proxy_of_pod(caller.pod)
        if proxy is None:
            raise NotYet(f"nothing is known of the pod {caller.pod} yet")
        if self._spiffe_id(proxy) not in caller.identities:
            log.warning("%s shows a certificate of %s", caller.pod, ", ".join(caller.identities) or "nobody")
            return None
        self._parts.pipeline.serve(proxy.id)
        return proxy.id

    def _spiffe_id(self, proxy: Proxy) -> str:
        workload = proxy.workloads[0]
        domain = self._parts.pipeline.mesh.options.trust_domain
        return names.spiffe_id(workload.namespace, workload.service_account, domain)


class Observer:
    """An xds.server.Observer: tells the feedback, and has the fleet forget whom it serves no more."""

    def __init__(self, pipeline: Pipeline, fleet: Fleet) -> None:
        self._feedback = pipeline.feedback
        self._fleet = fleet

    def connected(self, proxy: str, node_id: str) -> None:
        self._feedback.connected(proxy, node_id)

    def disconnected(self, proxy: str) -> None:
        self._fleet.rest(proxy)
        self._feedback.disconnected(proxy)

    def acked(self, proxy: str, type_url: str, generation: int) -> None:
        self._feedback.acked(proxy, type_url, generation)

    def refused(self, proxy: str, event: RefusedByEnvoy) -> None:
        self._feedback.refused(proxy, event)

    def settled(self, proxy: str, event: Settled) -> None:
        self._feedback.settled(proxy, event)
