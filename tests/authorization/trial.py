"""A pod with policies, to which requests come: as the evaluator judges them, in process, and through a real Envoy."""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.authorization import evaluator
from tests.authorization.evaluator import Request
from tests.calls import inbound, tokens
from tests.calls.matcher import Matcher
from tests.calls.real_inbound import RealInbound
from tests.calls.script import Call
from tests.golden import cases

from semafor import planner
from semafor.base.problem import Problem
from semafor.envoy.pool import Pool
from semafor.planner import Mesh, Proxy, Workload

Doc = dict[str, Any]
NAMESPACE, LABELS = "default", {"app": "web", "version": "v1"}
HTTP_PORTS, BYTES_PORT = (8080, 9090), 7001
IDENTITY = "spiffe://cluster.local/ns/default/sa/web"
_SERVICE: Doc = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "namespace": NAMESPACE},
    "spec": {
        "clusterIP": "10.96.3.1",
        "selector": {"app": "web"},
        "ports": [
            *({"name": f"http-{port}", "port": port} for port in HTTP_PORTS),
            {"name": "tcp", "port": BYTES_PORT},
        ],
    },
}
_TOKENS: Doc = {
    "apiVersion": "security.istio.io/v1",
    "kind": "RequestAuthentication",
    "metadata": {"name": "tokens", "namespace": NAMESPACE},
    "spec": {"jwtRules": [{"issuer": tokens.ISSUER, "jwks": tokens.keys()}]},
}
_EXPIRES = 4_000_000_000  # one token for each set of claims


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request before it is sent. `account` is `namespace/name` of a caller with a sidecar."""

    account: str = ""
    port: int = 8080
    method: str = "GET"
    path: str = "/"
    host: str = "web"
    headers: dict[str, str] = field(default_factory=dict)
    claims: Doc = field(default_factory=dict)

    @property
    def identity(self) -> str:
        namespace, _, name = self.account.partition("/")
        return f"cluster.local/ns/{namespace}/sa/{name}" if self.account else ""

    def as_request(self) -> Request:
        """What the evaluator looks at."""
        return Request(
            identity=self.identity,
            address=inbound.PEER_ADDRESS,
            original_address=inbound.CALLER_ADDRESS,
            destination=inbound.OWN_ADDRESS,
            port=self.port,
            method=self.method,
            host=self.host,
            path=self.path,
            headers=self.headers,
            claims=_said(self.claims),
        )

    def as_call(self) -> Call:
        """What is sent."""
        token = _token(json.dumps(self.claims, sort_keys=True)) if self.claims else ""
        headers = self.headers | ({"authorization": f"Bearer {token}"} if token else {})
        verb = "receive" if self.method else "accept"
        return Call("", "", verb, self.host, self.port, self.path, self.method, tuple(headers.items()))


def _said(claims: Doc) -> Doc:
    return {"iss": tokens.ISSUER, "sub": "ada", **claims} if claims else {}


@functools.cache
def _token(claims: str) -> str:
    return tokens.token(**_said(json.loads(claims)), exp=_EXPIRES)


class Trial:
    """A pod with the policies."""

    def __init__(self, pool: Pool, policies: list[Doc]) -> None:
        self.policies = policies
        mesh = Mesh.of([cases.decoded(each) for each in (_SERVICE, _TOKENS, *policies)])
        workload = Workload(namespace=NAMESPACE, name="web-1", labels=tuple(sorted(LABELS.items())), ip="10.244.0.251")
        plan, self.problems = planner.plan(mesh, Proxy(id="web-1.default", workloads=(workload,)))
        self.matcher = Matcher(pool, plan, {})

    def serious(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity == "error"]

    def judged(self, asked: Asked) -> bool:
        return evaluator.allowed(self.policies, NAMESPACE, LABELS, asked.as_request())

    def in_process(self, asked: Asked) -> bool:
        identity = f"spiffe://{asked.identity}" if asked.identity else ""
        return inbound.follow(self.matcher.listeners["virtualInbound"], asked.as_call(), identity) == inbound.APP


def real(trials: Mapping[str, Trial], folder: Path) -> RealInbound:
    """One Envoy in the place of the sidecars of all these pods."""
    return RealInbound({name: trial.matcher for name, trial in trials.items()}, IDENTITY, folder)


def passes(envoy: RealInbound, name: str, asked: Asked) -> bool:
    """Whether the pod's app gets it."""
    identity = f"spiffe://{asked.identity}" if asked.identity else ""
    answer = envoy.follow(asked.as_call(), identity, name)
    assert answer in (inbound.APP, "closed", "400 Bad Request") or answer.startswith("403 RBAC"), answer
    return answer == inbound.APP
