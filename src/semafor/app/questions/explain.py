"""Would this request pass, and by which rule? Asked of the plans that the proxies have been given."""

import re
from collections.abc import Callable, Iterator
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from semafor import explain, ir
from semafor.base import names
from semafor.base.struct import Value
from semafor.explain import Caller, Instance, Story
from semafor.kube.api.errors import StatusError
from semafor.planner import Mesh, applying, check
from semafor.planner import dns as planner_dns
from semafor.planner.services.service import Service

Doc = dict[str, Any]
PlanOf = Callable[[str], ir.Plan | None]
_SEARCHED = (f"svc.{names.CLUSTER_DOMAIN}", names.CLUSTER_DOMAIN)
_UNKNOWN_ADDRESS = "203.0.113.1"  # of hosts that the mesh does not know (TEST-NET-3): no rule is about it
_HTTP_PORT = 80
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Question(Value):
    """`source` is a pod `namespace/name`; `port` of 0 is the service's own. Without a `method`, `says` bytes come.

    `claims` is the payload of a valid token. `at_edge`: the request comes from outside to the gateway `source`.
    """

    source: str = ""
    host: str = ""
    port: int = 0
    method: str = ""
    path: str = "/"
    headers: tuple[tuple[str, str], ...] = ()
    says: Literal["http", "tls", "bytes", "nothing"] = "bytes"
    server_name: str = ""
    claims: dict[str, Any] | None = None
    scheme: Literal["http", "https"] = "http"
    at_edge: bool = False


def parse(body: bytes) -> Question:
    try:
        return msgspec.json.decode(body, type=Question)
    except msgspec.MsgspecError as error:
        raise StatusError(400, "BadRequest", f"the question is not understood: {error}") from error


def answer(mesh: Mesh, plan_of: PlanOf, question: Question) -> Story:
    """Tell the request's story. Raises StatusError."""
    caller = _caller(mesh, plan_of, question)
    namespace = question.source.partition("/")[0]
    service = _service(mesh, question.host, namespace)
    port = question.port or (_port(service) if service else _HTTP_PORT)
    if question.at_edge:
        port = question.port or _DEFAULT_PORTS[question.scheme]
    request = explain.Request(
        host=question.host,
        port=port,
        method=question.method.upper(),
        path=question.path,
        headers=question.headers,
        scheme=question.scheme,
        says="http" if question.method else question.says,
        server_name=question.server_name or question.host,
        protocols=("h2", "http/1.1") if question.method and question.scheme == "https" else (),
        address=_address(mesh, service, caller, question.host),
        at_port=_gateway_port(mesh, question.source, port) if question.at_edge else 0,
        claims=tuple(claims(question.claims or {})),
    )
    direct = tuple(_instances(mesh, service, port)) if service else ()
    told = explain.story(request, caller, plan_of, direct=direct, at_edge=question.at_edge)
    return replace(told, problems=tuple(_problems(mesh, service, namespace, question)))


def _caller(mesh: Mesh, plan_of: PlanOf, question: Question) -> Caller:
    namespace, _, name = question.source.partition("/")
    pod = mesh.pods.get((namespace, name))
    if pod is None:
        raise StatusError(404, "NotFound", f"there is no pod {name} in the namespace {namespace}")
    has_proxy = plan_of(question.source) is not None
    identity = names.spiffe_id(namespace, pod.service_account, mesh.options.trust_domain) if has_proxy else ""
    return Caller(name=question.source, identity=identity, address=pod.ip)


def _service(mesh: Mesh, host: str, namespace: str) -> Service | None:
    """The service that a pod of the namespace means by the host, as its DNS looks for it."""
    searched = (f"{namespace}.svc.{names.CLUSTER_DOMAIN}", *_SEARCHED)
    candidates = (host, *(f"{host}.{domain}" for domain in searched))
    found = (mesh.service(name, namespace) for name in candidates if "." in name)
    by_address = (each for each in mesh.visible(namespace).values() if host in each.own_addresses)
    return next((each for each in found if each), None) or next(by_address, None)


def _port(service: Service) -> int:
    """The port that is meant where none is named: 80, else the first one for requests, else the first."""
    if service.port(_HTTP_PORT) or not service.ports:
        return _HTTP_PORT
    return next((each.number for each in service.ports if each.protocol.is_http), service.ports[0].number)


def _address(mesh: Mesh, service: Service | None, caller: Caller, host: str) -> str:
    if re.fullmatch(r"[\d.]+", host):
        return host
    virtual = planner_dns.addresses(mesh, caller.address, host)
    if virtual:
        return virtual[0]
    if service and service.headless:
        return next((each.ip for each in mesh.instances(service)), _UNKNOWN_ADDRESS)
    return (service.address if service else "") or _UNKNOWN_ADDRESS


def _gateway_port(mesh: Mesh, gateway: str, number: int) -> int:
    """The port of the gateway's pod that a port of its service leads to; of its own where no service has it."""
    namespace, _, name = gateway.partition("/")
    for service in mesh.visible(namespace).values():
        port = service.port(number)
        for each in mesh.instances(service) if port else ():
            if port and each.workload == f"{namespace}/{name}":
                return each.port(port.name) or number
    return number


def _problems(mesh: Mesh, service: Service | None, namespace: str, question: Question) -> Iterator[str]:
    """What is wrong with the rules for the service: a route that another has overridden is in no plan."""
    if service is None:
        if not question.at_edge and not re.fullmatch(r"[\d.]+", question.host):
            yield f"the mesh knows no service called {question.host}: DNS has to know the name"
        return
    rules = {vs.origin.ref for vs in mesh.routing(service.host, namespace)}
    rules |= {rule.origin.ref for rule in applying.destination_rules(mesh, (service,))}
    for problem in check(mesh):
        if problem.ref in rules and problem.severity != "info":
            yield str(problem)


def _instances(mesh: Mesh, service: Service, number: int) -> Iterator[Instance]:
    """Where the node leads a caller without a proxy."""
    port = service.port(number)
    for each in mesh.instances(service) if port else ():
        if port and (target := each.port(port.name)):
            yield Instance(address=f"{each.ip}:{target}", workload=each.workload)


def claims(payload: Doc, above: str = "") -> Iterator[tuple[str, tuple[str, ...]]]:
    """The claims by name, with dots between levels; a text with spaces is a list too where tokens have it so."""
    for name, value in payload.items():
        match value:
            case dict():
                yield from claims(value, f"{above}{name}.")
            case list():
                yield f"{above}{name}", tuple(str(each) for each in value)
            case str() if name in ("scope", "permission"):
                yield f"{above}{name}", tuple(value.split())
            case _:
                yield f"{above}{name}", (str(value),)
