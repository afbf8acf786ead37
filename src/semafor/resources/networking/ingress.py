"""Ingress: HTTP from outside to Services. Source: Kubernetes' API reference."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from semafor.base.struct import Document
from semafor.resources import errors, marks
from semafor.resources.core.refs import TypedLocalObjectReference
from semafor.resources.errors import FieldError
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC, DNS_SUBDOMAIN, within
from semafor.resources.meta.meta import ObjectMeta


class ServiceBackendPort(Document):
    """A port of a Service, by name or by number."""

    name: Annotated[str, "Its name."] = ""
    number: Annotated[int, within(0, 65535), "Its number."] = 0


class IngressServiceBackend(Document):
    """A Service that requests go to."""

    name: Annotated[str, "Name of the Service."]
    port: Annotated[ServiceBackendPort, ATOMIC, "Port of the Service."] = ServiceBackendPort()


class IngressBackend(Document):
    """Where requests go; exactly one is set."""

    service: Annotated[IngressServiceBackend | None, "A Service."] = None
    resource: Annotated[TypedLocalObjectReference | None, ATOMIC, "An object of another kind."] = None


class HTTPIngressPath(Document):
    """A path and where its requests go."""

    path_type: Annotated[Literal["Exact", "Prefix", "ImplementationSpecific"], "How the path is compared."]
    backend: Annotated[IngressBackend, "Where requests go."]
    path: Annotated[str, "The path."] = ""


class HTTPIngressRuleValue(Document):
    """Paths and where their requests go."""

    paths: Annotated[tuple[HTTPIngressPath, ...], ATOMIC, "The paths."] = ()


class IngressRuleValue(Document):
    """What a rule does."""

    http: Annotated[HTTPIngressRuleValue | None, "Paths and where their requests go."] = None


class IngressTLS(Document):
    """Hosts that are served over TLS."""

    hosts: Annotated[tuple[str, ...], ATOMIC, "The hosts; all of the rules when empty."] = ()
    secret_name: Annotated[str, "Secret with key and certificate."] = ""


class IngressRule(Document):
    """A host and its paths."""

    host: Annotated[str, "The host, perhaps with a wildcard at the front; all when empty."] = ""
    http: Annotated[HTTPIngressRuleValue | None, "Paths and where their requests go."] = None


class IngressSpec(Document):
    """Which requests from outside go where."""

    ingress_class_name: Annotated[str | None, DNS_SUBDOMAIN, "IngressClass that serves it."] = None
    default_backend: Annotated[IngressBackend | None, "Where requests go that no rule matches."] = None
    tls: Annotated[tuple[IngressTLS, ...], ATOMIC, "Hosts that are served over TLS."] = ()
    rules: Annotated[tuple[IngressRule, ...], ATOMIC, "Hosts and their paths."] = ()


class IngressPortStatus(Document):
    """The state of a port."""

    port: Annotated[int, "Number of the port."] = 0
    protocol: Annotated[Literal["TCP", "UDP", "SCTP"] | None, "Protocol of the port."] = None
    error: Annotated[str | None, "What is wrong with it."] = None


class IngressLoadBalancerIngress(Document):
    """A way in from outside."""

    ip: Annotated[str, "Its address."] = ""
    hostname: Annotated[str, "Its name."] = ""
    ports: Annotated[tuple[IngressPortStatus, ...], ATOMIC, "Its ports."] = ()


class IngressLoadBalancerStatus(Document):
    """The ways in from outside."""

    ingress: Annotated[tuple[IngressLoadBalancerIngress, ...], ATOMIC, "The ways in."] = ()


class IngressStatus(Document):
    """The state of an Ingress."""

    load_balancer: Annotated[IngressLoadBalancerStatus, "The ways in from outside."] = IngressLoadBalancerStatus()


class Ingress(Document):
    """HTTP from outside to Services."""

    api_version: Annotated[str, "API version of the object."] = "networking.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "Ingress"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[IngressSpec, "What is wanted."] = IngressSpec()
    status: Annotated[IngressStatus, "What is."] = IngressStatus()


def validate(doc: dict[str, Any]) -> Iterator[FieldError]:
    """There is a rule or a default, and backends are complete."""
    spec = doc.get("spec", {})
    if not spec.get("rules") and "defaultBackend" not in spec:
        yield errors.invalid("spec", spec, "either `defaultBackend` or `rules` must be specified")
    if "defaultBackend" in spec:
        yield from _backend(spec["defaultBackend"], "spec.defaultBackend")
    for index, rule in enumerate(spec.get("rules", ())):
        path, host = f"spec.rules[{index}]", rule.get("host", "")
        if host and (why := marks.DNS_SUBDOMAIN.test(host.removeprefix("*."))):
            yield errors.invalid(f"{path}.host", host, why)
        if "http" in rule and not rule["http"].get("paths"):
            yield errors.required(f"{path}.http.paths")
        for place, item in enumerate(rule.get("http", {}).get("paths", ())):
            yield from _path(item, f"{path}.http.paths[{place}]")


def _path(item: dict[str, Any], path: str) -> Iterator[FieldError]:
    value = item.get("path", "")
    if item.get("pathType") in {"Exact", "Prefix"} and not value.startswith("/"):
        yield errors.invalid(f"{path}.path", value, "must be an absolute path")
    yield from _backend(item.get("backend", {}), f"{path}.backend")


def _backend(backend: dict[str, Any], path: str) -> Iterator[FieldError]:
    if len(backend) > 1:
        yield errors.invalid(path, "", "cannot set both resource and service backends")
    if not backend:
        yield errors.required(path, "must have a service or a resource")
    service = backend.get("service")
    if service is None:
        return
    port = service.get("port", {})
    if bool(port.get("name")) == bool(port.get("number")):
        why = "cannot set both port name & port number" if port.get("name") else "port name or number is required"
        yield errors.required(f"{path}.service.port", why)


KIND = Kind(
    group="networking.k8s.io",
    versions=("v1",),
    kind="Ingress",
    plural="ingresses",
    short=("ing",),
    document=Ingress,
    subresources=("status",),
    effect=False,
    validate=validate,
)
