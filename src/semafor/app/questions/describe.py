"""What is a pod or a service to the mesh: its ports, its modes, the objects that are for it, and who may call it."""

from collections.abc import Iterable, Iterator

import semafor
from semafor.app import inject
from semafor.app.fleet import Fleet
from semafor.app.pipeline import Pipeline
from semafor.base import names
from semafor.base.problem import ObjectRef
from semafor.base.struct import Value
from semafor.explain import conditions
from semafor.ir import Origin
from semafor.kube.api.errors import StatusError
from semafor.planner import Mesh, Workload, applying
from semafor.planner.proxy import Proxy
from semafor.planner.security.authorization_policy import AuthorizationPolicy
from semafor.planner.services import service as services
from semafor.planner.services.service import Service
from semafor.planner.traffic.destination_rule import DestinationRule

_MODE_OF_NONE = "the default, for no PeerAuthentication says otherwise"


class Sidecar(Value):
    """The proxy. `behind` counts the generations of the mesh that it has not got yet."""

    kind: str
    revision: str
    version: str
    connected: bool
    behind: int


class PortTold(Value):
    """A port of the workload (0: every port that no service names) and the effective mode of mutual TLS there."""

    port: int
    protocol: str
    mode: str
    by: str


class ServicePort(Value):
    name: str
    number: int
    protocol: str
    target: str


class RuleTold(Value):
    """A DestinationRule and which of its subsets have the pod in them."""

    name: str
    host: str
    subsets: tuple[str, ...] = ()
    other_subsets: tuple[str, ...] = ()


class ServiceTold(Value):
    name: str
    host: str
    addresses: tuple[str, ...]
    ports: tuple[ServicePort, ...]
    destination_rules: tuple[RuleTold, ...]
    routing: tuple[str, ...]
    instances: tuple[str, ...] = ()


class Permission(Value):
    """One rule of an AuthorizationPolicy, in words."""

    action: str
    policy: str
    who: str
    what: str
    dry_run: bool = False


class ObjectTold(Value):
    """An object that is for the pod: how many proxies have it as it is, and what is wrong with it."""

    object: str
    live: str
    problems: tuple[str, ...] = ()


class PodTold(Value):
    """`sidecar` is None where the pod has no proxy; then nothing below `identity` applies."""

    name: str
    service_account: str
    sidecar: Sidecar | None = None
    identity: str = ""
    ports: tuple[PortTold, ...] = ()
    services: tuple[ServiceTold, ...] = ()
    callers: tuple[Permission, ...] = ()
    tokens: tuple[str, ...] = ()
    objects: tuple[ObjectTold, ...] = ()
    warnings: tuple[str, ...] = ()


class Describer:
    """Tells of the pods and services of one mesh."""

    def __init__(self, pipeline: Pipeline, fleet: Fleet) -> None:
        self._pipeline = pipeline
        self._fleet = fleet

    def pod(self, namespace: str, name: str) -> PodTold:
        """Describe the pod. Raises StatusError."""
        mesh = self._pipeline.mesh
        known = mesh.pods.get((namespace, name))
        if known is None:
            raise StatusError(404, "NotFound", f"there is no pod {name} in the namespace {namespace}")
        told = PodTold(name=f"{namespace}/{name}", service_account=known.service_account)
        proxy = self._fleet.proxy_of_pod(told.name)
        if proxy is None:
            return PodTold(name=told.name, service_account=told.service_account, warnings=(_no_sidecar(told.name),))
        workload = proxy.workloads[0]
        return PodTold(
            name=told.name,
            service_account=known.service_account,
            sidecar=self._sidecar(proxy),
            identity=names.spiffe_id(namespace, known.service_account, mesh.options.trust_domain),
            ports=tuple(_port(each) for each in applying.doors(mesh, proxy)),
            services=tuple(_service(mesh, each, workload) for each in applying.services(mesh, workload)),
            callers=tuple(permissions(applying.authorizations(mesh, workload))),
            tokens=tuple(_tokens(mesh, workload)),
            objects=tuple(self._objects(applying.objects(mesh, proxy))),
        )

    def service(self, namespace: str, name: str) -> ServiceTold:
        """Describe the service. Raises StatusError."""
        mesh = self._pipeline.mesh
        known = mesh.services.get((namespace, name))
        if known is None:
            raise StatusError(404, "NotFound", f"there is no service {name} in the namespace {namespace}")
        return _service(mesh, known, None)

    def _sidecar(self, proxy: Proxy) -> Sidecar:
        state = next(each for each in self._pipeline.proxies() if each["proxy"] == _short(proxy.workloads[0]))
        return Sidecar(
            kind=proxy.role,
            revision=proxy.revision or inject.REVISION,
            version=semafor.__version__,
            connected=state["connected"],
            behind=state["behind"] if state["connected"] else 0,
        )

    def _objects(self, refs: Iterable[ObjectRef]) -> Iterator[ObjectTold]:
        problems = self._pipeline.problems()
        for ref in refs:
            own = tuple(str(each) for each in problems.get(ref, ()))
            yield ObjectTold(object=str(ref), live=str(self._pipeline.feedback.count(ref)), problems=own)


def _no_sidecar(pod: str) -> str:
    return f"{pod} is not part of the mesh: it has no sidecar, so no policy is kept for it"


def _short(workload: Workload) -> str:
    return f"{workload.name}.{workload.namespace}"


def _port(door: applying.Door) -> PortTold:
    by = str(door.by) if door.by else _MODE_OF_NONE
    return PortTold(port=door.port, protocol=door.protocol, mode=door.mode.upper(), by=by)


def _service(mesh: Mesh, known: Service, workload: Workload | None) -> ServiceTold:
    """The service as the workload serves it; without one, with all its instances."""
    return ServiceTold(
        name=f"{known.namespace}/{known.name}",
        host=known.host,
        addresses=known.addresses,
        ports=tuple(_service_port(each, workload) for each in known.ports),
        destination_rules=tuple(_rule(each, workload) for each in applying.destination_rules(mesh, (known,))),
        routing=tuple(dict.fromkeys(str(ref) for ref in applying.routing(mesh, (known,)))),
        instances=() if workload else tuple(each.workload or each.ip for each in mesh.instances(known)),
    )


def _service_port(port: services.Port, workload: Workload | None) -> ServicePort:
    target = str(services.target_port(port, workload) if workload else port.target)
    return ServicePort(name=port.name, number=port.number, protocol=port.protocol.name, target=target)


def _rule(rule: DestinationRule, workload: Workload | None) -> RuleTold:
    labels = set(workload.labels) if workload else set()
    own = tuple(each.name for each in rule.subsets if workload and set(each.labels) <= labels)
    others = tuple(each.name for each in rule.subsets if each.name not in own)
    return RuleTold(name=str(rule.origin.ref), host=rule.host, subsets=own, other_subsets=others)


def permissions(policies: Iterable[AuthorizationPolicy]) -> Iterator[Permission]:
    for policy in policies:
        ref, action = policy.origin.ref, policy.action.upper()
        for rule in policy.rules:
            by = str(rule.origin or Origin(ref=ref))
            who, what = conditions.who(rule), conditions.what(rule)
            yield Permission(action=action, policy=by, who=who, what=what, dry_run=policy.dry_run)
        if not policy.rules:
            yield Permission(action=action, policy=str(ref), who="nobody", what="", dry_run=policy.dry_run)


def _tokens(mesh: Mesh, workload: Workload) -> Iterator[str]:
    for policy in applying.authentications(mesh, workload):
        for issuer in policy.issuers:
            yield f"{issuer.origin}: {issuer.plain.issuer}"
