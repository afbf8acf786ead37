"""BackendTLSPolicies as values: what the documents say, without a look at the mesh."""

from collections.abc import Iterator

from semafor.base.problem import ObjectRef, Problem
from semafor.base.struct import Value
from semafor.ir import Origin
from semafor.planner import hosts
from semafor.planner.checks import refused
from semafor.planner.gateway_api import route as routes
from semafor.planner.hosts import Age
from semafor.resources.gateway_api import backend_tls_policy as api


class Target(Value):
    """A Service, or one port of it by its name. `path` is where the policy names it."""

    ref: ObjectRef
    section: str
    path: str


class BackendTls(Value, cache_hash=True):
    """How connections to Services are secured. `roots` names authorities that everybody knows; empty for own ones."""

    ref: ObjectRef
    generation: int
    age: Age
    targets: tuple[Target, ...]
    hostname: str
    authorities: tuple[ObjectRef, ...]
    roots: str
    sans: tuple[str, ...]
    origin: Origin
    problems: tuple[Problem, ...] = ()

    @property
    def seniority(self) -> tuple[str, str, str]:
        """The smallest is the oldest; of the same age, the first by namespace and name."""
        return (self.age.created, self.ref.namespace, self.ref.name)


def read(document: api.BackendTLSPolicy) -> BackendTls:
    """The policy as a value."""
    meta, said = document.metadata, document.spec.validation
    ref = routes.reference("BackendTLSPolicy", meta.namespace, meta.name)
    origin = Origin(ref=ref, path="spec")
    return BackendTls(
        ref=ref,
        generation=meta.generation,
        age=hosts.age(meta),
        targets=tuple(_targets(document)),
        hostname=said.hostname,
        authorities=tuple(
            ObjectRef(kind=each.kind, group=each.group, namespace=meta.namespace, name=each.name)
            for each in said.ca_certificate_refs
        ),
        roots=said.well_known_ca_certificates or "",
        sans=tuple((each.hostname or "") if each.type == "Hostname" else each.uri for each in said.subject_alt_names),
        origin=origin,
        problems=tuple(refused.fields(document.spec, origin, "target_refs", "validation")),
    )


def _targets(document: api.BackendTLSPolicy) -> Iterator[Target]:
    namespace = document.metadata.namespace
    for index, each in enumerate(document.spec.target_refs):
        ref = ObjectRef(kind=each.kind, group=each.group, namespace=namespace, name=each.name)
        yield Target(ref=ref, section=each.section_name or "", path=f"spec.targetRefs[{index}]")
