"""WorkloadEntries: instances that are not pods, in objects of their own or written in a ServiceEntry."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address

from msgspec.structs import replace

from semafor.base.problem import ObjectRef, Problem
from semafor.base.struct import Value
from semafor.ir import Locality, Origin
from semafor.planner.checks import refused, registry_problems
from semafor.planner.checks.problems import at
from semafor.planner.proxy import Labels
from semafor.resources.istio import workload_entry as istio

TLS_MODE_LABEL = "security.istio.io/tlsMode"
LOCALITY_LABEL = "istio-locality"
_HEALTH_CHECKED = "proxy.istio.io/health-checks-enabled"
_HEALTHY = "Healthy"
_UNIX = "unix://"
_IMPLEMENTED = ("address", "ports", "labels", "locality", "weight", "service_account")


class WorkloadEntry(Value, cache_hash=True):
    """`address` is an IP or a DNS name; `pipe` in its place is the path of a unix socket. Those of objects have a name.

    `in_mesh`: it answers with mutual TLS, and proves the identity of its service account.
    """

    namespace: str
    name: str = ""
    address: str = ""
    pipe: str = ""
    ports: tuple[tuple[str, int], ...] = ()
    labels: Labels = ()
    locality: Locality = Locality()
    weight: int = 1
    service_account: str = ""
    in_mesh: bool = False
    healthy: bool = True
    origin: Origin | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def is_reachable(self) -> bool:
        """Whether it can be connected to without a question to DNS."""
        return bool(self.pipe) or _is_ip(self.address)


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def read(document: istio.WorkloadEntry) -> WorkloadEntry:
    """The object as a value. With health checks asked for, it counts once something has found it healthy."""
    meta = document.metadata
    ref = ObjectRef(kind="WorkloadEntry", namespace=meta.namespace, name=meta.name, group="networking.istio.io")
    healthy = meta.annotations.get(_HEALTH_CHECKED) != "true" or any(
        condition.type == _HEALTHY and condition.status == "True" for condition in document.status.conditions
    )
    return replace(of(document.spec, Origin(ref=ref, path="spec"), meta.labels), name=meta.name, healthy=healthy)


def of(spec: istio.WorkloadEntrySpec, origin: Origin, inherited: Mapping[str, str] | None = None) -> WorkloadEntry:
    """The entry of a spec that stands at `origin`. Source: Istio's convertEndpoint and getTLSModeFromWorkloadEntry.

    `inherited` are the object's own labels, which count as well; the spec's go before them.
    """
    labels = {**(inherited or {}), **spec.labels}
    is_pipe = spec.address.startswith(_UNIX)
    mode = labels.get(TLS_MODE_LABEL, "istio" if spec.service_account else "")
    return WorkloadEntry(
        namespace=origin.ref.namespace,
        address="" if is_pipe else spec.address,
        pipe=spec.address.removeprefix(_UNIX) if is_pipe else "",
        ports=tuple(sorted(spec.ports.items())),
        labels=tuple(sorted(labels.items())),
        locality=locality(spec.locality or labels.get(LOCALITY_LABEL, "").replace(".", "/")),
        weight=spec.weight or 1,
        service_account=spec.service_account,
        in_mesh=mode == "istio",
        origin=origin,
        problems=tuple(_problems(spec, origin)),
    )


def locality(text: str) -> Locality:
    """`region/zone/subzone`, of which the last may be missing."""
    region, _, rest = text.partition("/")
    zone, _, sub_zone = rest.partition("/")
    return Locality(region=region, zone=zone, sub_zone=sub_zone)


def _problems(spec: istio.WorkloadEntrySpec, origin: Origin) -> Iterator[Problem]:
    yield from refused.fields(spec, origin, *_IMPLEMENTED)
    if not spec.address:
        yield registry_problems.no_address(at(origin, "address"))
