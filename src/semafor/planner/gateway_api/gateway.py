"""GatewayClasses, Gateways and ListenerSets as values: what the documents say, without a look at the mesh."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal

from semafor.base.problem import ObjectRef, Problem
from semafor.base.struct import Value
from semafor.ir import Origin
from semafor.planner import hosts
from semafor.planner.checks import refused
from semafor.planner.checks.problems import at
from semafor.planner.gateway_api import route as routes
from semafor.planner.hosts import Age
from semafor.planner.proxy import Labels
from semafor.resources import selector as selectors
from semafor.resources.gateway_api import gateway as api
from semafor.resources.gateway_api import gateway_class, listener_set
from semafor.resources.gateway_api import listener as api_listener
from semafor.resources.meta.meta import LabelSelector

# Who we are: in our own words, and in Istio's, so that documents made for it are served as they are.
CONTROLLERS: Final = ("semafor.io/gateway-controller", "istio.io/gateway-controller")

AnyListener = api_listener.Listener | listener_set.ListenerEntry


class GatewayClass(Value, cache_hash=True):
    """Which controller serves Gateways of the class."""

    name: str
    controller: str
    generation: int
    parameters: str = ""  # the object with settings, which no class of ours has

    @property
    def is_ours(self) -> bool:
        return self.controller in CONTROLLERS


class Selector(Value):
    """Which namespaces are meant. Of `conditions`, each is the key, the operator and the values of an expression."""

    scope: Literal["All", "Selector", "Same", "None"] = "Same"
    labels: Labels = ()
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...] = ()

    def takes(self, namespace: str, labels: Mapping[str, str], *, own: str) -> bool:
        """Whether the namespace with these labels is meant; `own` is that of the object that asks."""
        if self.scope == "Selector":
            expressions = [{"key": key, "operator": how, "values": values} for key, how, values in self.conditions]
            return selectors.matches({"matchLabels": dict(self.labels), "matchExpressions": expressions}, labels)
        return self.scope == "All" or (self.scope == "Same" and namespace == own)


class ListenerTls(Value):
    """How TLS is ended, or that it is passed through."""

    passthrough: bool = False
    certificates: tuple[ObjectRef, ...] = ()


class Validation(Value):
    """What clients' certificates are checked against; `insecure` lets those in that have no good one."""

    authorities: tuple[ObjectRef, ...]
    insecure: bool = False


class Listener(Value, cache_hash=True):
    """A port where traffic comes in. `owner` is the Gateway or the ListenerSet that it is written in."""

    owner: ObjectRef
    name: str
    port: int
    protocol: str
    origin: Origin
    age: Age
    hostname: str = ""
    tls: ListenerTls | None = None
    namespaces: Selector = Selector()
    kinds: tuple[tuple[str, str], ...] = ()  # group, kind; empty: those of the protocol

    @property
    def speaks_http(self) -> bool:
        return self.protocol in {"HTTP", "HTTPS"}


class Address(Value):
    """An address that is asked for; an empty `value` means any."""

    type: str
    value: str


class Gateway(Value, cache_hash=True):
    """One Gateway. `sets` says from which namespaces ListenerSets may add listeners."""

    ref: ObjectRef
    class_name: str
    generation: int
    age: Age
    listeners: tuple[Listener, ...]
    origin: Origin
    addresses: tuple[Address, ...] = ()
    sets: Selector = Selector(scope="None")
    frontend: Validation | None = None
    frontend_by_port: tuple[tuple[int, Validation | None], ...] = ()
    client_certificate: ObjectRef | None = None
    labels: Labels = ()
    annotations: Labels = ()
    parameters: ObjectRef | None = None
    service_type: str = "LoadBalancer"
    problems: tuple[Problem, ...] = ()

    def validation(self, port: int) -> Validation | None:
        """What clients' certificates are checked against at the port."""
        return dict(self.frontend_by_port).get(port, self.frontend)


class ListenerSet(Value, cache_hash=True):
    """Listeners added to a Gateway."""

    ref: ObjectRef
    parent: ObjectRef
    generation: int
    age: Age
    listeners: tuple[Listener, ...]
    origin: Origin
    problems: tuple[Problem, ...] = ()


def read_class(document: gateway_class.GatewayClass) -> GatewayClass:
    """The class as a value."""
    parameters = document.spec.parameters_ref
    return GatewayClass(
        name=document.metadata.name,
        controller=document.spec.controller_name,
        generation=document.metadata.generation,
        parameters=f"{parameters.kind} {parameters.name}" if parameters else "",
    )


_SERVICE_TYPE = "networking.istio.io/service-type"
_IMPLEMENTED = ("gateway_class_name", "listeners", "addresses", "infrastructure", "allowed_listeners", "tls")


def read(document: api.Gateway) -> Gateway:
    """The Gateway as a value."""
    meta, spec = document.metadata, document.spec
    ref = routes.reference("Gateway", meta.namespace, meta.name)
    origin, age = Origin(ref=ref, path="spec"), hosts.age(meta)
    around = spec.infrastructure or api.GatewayInfrastructure()
    frontend = spec.tls.frontend if spec.tls else None
    allowed = spec.allowed_listeners.namespaces if spec.allowed_listeners else None
    return Gateway(
        ref=ref,
        class_name=spec.gateway_class_name,
        generation=meta.generation,
        age=age,
        listeners=tuple(_listeners(spec.listeners, origin, age)),
        origin=origin,
        addresses=tuple(Address(type=each.type, value=each.value) for each in spec.addresses),
        sets=_selector(allowed.from_, allowed.selector) if allowed else Selector(scope="None"),
        frontend=_validation(frontend.default, ref) if frontend else None,
        frontend_by_port=tuple((each.port, _validation(each.tls, ref)) for each in frontend.per_port)
        if frontend
        else (),
        client_certificate=_client_certificate(spec.tls, ref),
        labels=tuple(sorted(around.labels.items())),
        annotations=tuple(sorted(around.annotations.items())),
        parameters=_parameters(around, ref),
        service_type=meta.annotations.get(_SERVICE_TYPE, "LoadBalancer"),
        problems=tuple(_check(spec, origin)),
    )


def read_set(document: listener_set.ListenerSet) -> ListenerSet:
    """The set as a value."""
    meta, parent = document.metadata, document.spec.parent_ref
    ref = routes.reference("ListenerSet", meta.namespace, meta.name)
    origin, age = Origin(ref=ref, path="spec"), hosts.age(meta)
    written = document.spec.listeners
    return ListenerSet(
        ref=ref,
        parent=ObjectRef(
            kind=parent.kind, group=parent.group, namespace=parent.namespace or meta.namespace, name=parent.name
        ),
        generation=meta.generation,
        age=age,
        listeners=tuple(_listeners(written, origin, age)),
        origin=origin,
        problems=tuple(_check_listeners(written, origin)),
    )


def _listeners(written: Iterable[AnyListener], origin: Origin, age: Age) -> Iterator[Listener]:
    for index, each in enumerate(written):
        allowed = each.allowed_routes or api_listener.AllowedRoutes()
        spaces = allowed.namespaces
        yield Listener(
            owner=origin.ref,
            name=each.name,
            port=each.port,
            protocol=each.protocol,
            origin=at(origin, f"listeners[{index}]"),
            age=age,
            hostname=(each.hostname or "") if each.protocol in {"HTTP", "HTTPS", "TLS"} else "",
            tls=_tls(each.tls, origin.ref.namespace) if each.tls else None,
            namespaces=_selector(spaces.from_, spaces.selector) if spaces else Selector(),
            kinds=tuple((kind.group, kind.kind) for kind in allowed.kinds),
        )


def _tls(written: api_listener.ListenerTLSConfig, namespace: str) -> ListenerTls:
    return ListenerTls(
        passthrough=written.mode == "Passthrough",
        certificates=tuple(
            ObjectRef(kind=ref.kind, group=ref.group, namespace=ref.namespace or namespace, name=ref.name)
            for ref in written.certificate_refs
        ),
    )


def _selector(scope: Literal["All", "Selector", "Same", "None"], written: LabelSelector | None) -> Selector:
    found = written or LabelSelector()
    return Selector(
        scope=scope,
        labels=tuple(sorted(found.match_labels.items())),
        conditions=tuple((each.key, each.operator, tuple(each.values)) for each in found.match_expressions),
    )


def _validation(written: api.TLSConfig, ref: ObjectRef) -> Validation | None:
    if written.validation is None:
        return None
    return Validation(
        authorities=tuple(
            ObjectRef(kind=each.kind, group=each.group, namespace=each.namespace or ref.namespace, name=each.name)
            for each in written.validation.ca_certificate_refs
        ),
        insecure=written.validation.mode == "AllowInsecureFallback",
    )


def _client_certificate(written: api.GatewayTLSConfig | None, ref: ObjectRef) -> ObjectRef | None:
    found = written.backend.client_certificate_ref if written and written.backend else None
    if found is None:
        return None
    return ObjectRef(kind=found.kind, group=found.group, namespace=found.namespace or ref.namespace, name=found.name)


def _parameters(written: api.GatewayInfrastructure, ref: ObjectRef) -> ObjectRef | None:
    found = written.parameters_ref
    return ObjectRef(kind=found.kind, group=found.group, namespace=ref.namespace, name=found.name) if found else None


def _check(spec: api.GatewaySpec, origin: Origin) -> Iterator[Problem]:
    yield from refused.fields(spec, origin, *_IMPLEMENTED)
    for index, address in enumerate(spec.addresses):
        yield from refused.fields(address, at(origin, f"addresses[{index}]"), "type", "value")
    yield from _check_listeners(spec.listeners, origin)


def _check_listeners(written: Iterable[AnyListener], origin: Origin) -> Iterator[Problem]:
    for index, each in enumerate(written):
        place = at(origin, f"listeners[{index}]")
        yield from refused.fields(each, place, "name", "port", "protocol", "hostname", "tls", "allowed_routes")
        if each.tls:
            yield from refused.fields(each.tls, at(place, "tls"), "mode", "certificate_refs")
