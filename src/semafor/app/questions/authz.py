"""Who may call a pod: the policies that are for it, and what they say of one imagined request."""

from semafor import explain
from semafor.app.fleet import Fleet
from semafor.app.questions.explain import Question, claims
from semafor.base import names
from semafor.base.struct import Value
from semafor.explain import Arrival, inbound
from semafor.kube.api.errors import StatusError
from semafor.planner import Mesh, applying
from semafor.planner.proxy import Proxy

# What the sidecar of a caller offers in its hello. Source: planner.calling.upstream_tls.
_HELLO_REQUEST = ("istio-http", "istio", "h2", "http/1.1")
_HELLO_BYTES = ("istio",)


class Policy(Value):
    """An AuthorizationPolicy that is for the pod."""

    action: str
    name: str
    rules: int
    dry_run: bool


def policies(mesh: Mesh, fleet: Fleet, pod: str) -> tuple[Policy, ...]:
    """The policies for the pod `namespace/name`. Raises StatusError."""
    workload = _proxy(mesh, fleet, pod).workloads[0]
    return tuple(
        Policy(
            action=each.action.upper(),
            name=f"{each.origin.ref.name}.{each.origin.ref.namespace}",
            rules=len(each.rules),
            dry_run=each.dry_run,
        )
        for each in applying.authorizations(mesh, workload)
    )


def arrival(mesh: Mesh, fleet: Fleet, pod: str, question: Question) -> Arrival:
    """What the pod's proxy makes of the request. Without a `source`, it comes from a caller without a sidecar."""
    proxy = _proxy(mesh, fleet, pod)
    plan = fleet.plan_of_pod(pod)
    if plan is None:
        raise StatusError(503, "ServiceUnavailable", f"the proxy of {pod} has no plan yet")
    port = question.port or _port(mesh, proxy)
    request = explain.Request(
        host=question.host or pod.partition("/")[2],
        port=port,
        method=question.method.upper(),
        path=question.path,
        headers=question.headers,
        says="http" if question.method else question.says,
        address=proxy.workloads[0].ip,
        claims=tuple(claims(question.claims or {})),
    )
    return inbound.arrival(plan, pod, request, _approach(mesh, fleet, question, pod, port), port)


def _approach(mesh: Mesh, fleet: Fleet, question: Question, pod: str, port: int) -> inbound.Approach:
    """A caller with a sidecar begins with mutual TLS where the pod takes it."""
    if not question.source:
        return inbound.Approach(name="")
    namespace, _, name = question.source.partition("/")
    known = mesh.pods.get((namespace, name))
    if known is None:
        raise StatusError(404, "NotFound", f"there is no pod {name} in the namespace {namespace}")
    caller = inbound.Approach(name=question.source, address=known.ip)
    if fleet.proxy_of_pod(question.source) is None or _takes_no_tls(mesh, fleet, pod, port):
        return caller
    return inbound.Approach(
        name=question.source,
        identity=names.spiffe_id(namespace, known.service_account, mesh.options.trust_domain),
        address=known.ip,
        mutual_tls=True,
        protocols=_HELLO_REQUEST if question.method else _HELLO_BYTES,
    )


def _takes_no_tls(mesh: Mesh, fleet: Fleet, pod: str, port: int) -> bool:
    modes = {each.port: each.mode for each in applying.doors(mesh, _proxy(mesh, fleet, pod))}
    return modes.get(port, modes[0]) == "disable"


def _port(mesh: Mesh, proxy: Proxy) -> int:
    """The port that is meant where none is named: the first one for requests, else the first."""
    known = [each for each in applying.doors(mesh, proxy) if each.port]
    chosen = next((each.port for each in known if each.protocol.startswith(("HTTP", "GRPC"))), 0)
    if not known:
        raise StatusError(400, "BadRequest", "no service names a port of the pod, so the question has to name one")
    return chosen or known[0].port


def _proxy(mesh: Mesh, fleet: Fleet, pod: str) -> Proxy:
    namespace, _, name = pod.partition("/")
    if (namespace, name) not in mesh.pods:
        raise StatusError(404, "NotFound", f"there is no pod {name} in the namespace {namespace}")
    proxy = fleet.proxy_of_pod(pod)
    if proxy is None:
        raise StatusError(409, "Conflict", f"{pod} has no sidecar, so no policy is kept for it: everybody may call it")
    return proxy
