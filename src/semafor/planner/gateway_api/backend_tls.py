"""Which BackendTLSPolicy holds for a Service's port, what is wrong with it, and what it makes of the cluster.

It holds for gateways, and for sidecars where the port carries plain requests: what an app has encrypted stays as it is.
"""

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from semafor import ir
from semafor.base.struct import Value
from semafor.ir import Cluster, UpstreamHttp, UpstreamTls
from semafor.planner.calling import clusters
from semafor.planner.calling.view import View
from semafor.planner.gateway_api import attach, references, verdict
from semafor.planner.gateway_api.policy import BackendTls
from semafor.planner.gateway_api.verdict import Verdict
from semafor.planner.mesh import Mesh
from semafor.planner.services.instances import Key
from semafor.planner.services.service import Port, Service

_SYSTEM = "System"
_SYSTEM_ROOTS = "file-root:system"
_ALPN = {"h1": ("http/1.1",), "h2": ("h2",), "auto": ("h2", "http/1.1")}


class State(Value, cache_hash=True):
    """A policy with what is said of it. `trust` is whom the backends' certificates have to be from."""

    policy: BackendTls
    accepted: Verdict
    resolved: Verdict
    trust: ir.Credential | None = None


def states(mesh: Mesh) -> Mapping[Key, State]:
    """Every policy, by namespace and name."""
    inputs = (mesh.backend_tls_policies, mesh.services, mesh.bundles, mesh.reference_grants, mesh.options)
    return mesh.memo("backend tls policies", inputs, lambda: _states(mesh))


def _states(mesh: Mesh) -> Mapping[Key, State]:
    holders: dict[tuple[Key, str], BackendTls] = {}
    found = {}
    for policy in sorted(mesh.backend_tls_policies.values(), key=lambda each: each.seniority):
        wanted = [((each.ref.namespace, each.ref.name), each.section) for each in policy.targets]
        conflict = next((holders[key] for key in wanted if key in holders), None)
        for key in wanted:
            holders.setdefault(key, policy)
        found[policy.ref.namespace, policy.ref.name] = _state(mesh, policy, conflict)
    return found


def _state(mesh: Mesh, policy: BackendTls, conflict: BackendTls | None) -> State:
    refs = tuple(references.backend_authorities(mesh, policy.ref, policy.authorities))
    wrong = next((each for each in refs if each.reason), None)
    resolved = verdict.refused(wrong.reason, wrong.message) if wrong else verdict.resolved()
    trust = _trust(mesh, policy, [each.name for each in refs if each.name])
    return State(policy=policy, accepted=_accepted(mesh, policy, conflict, trust), resolved=resolved, trust=trust)


def _accepted(mesh: Mesh, policy: BackendTls, conflict: BackendTls | None, trust: ir.Credential | None) -> Verdict:
    if conflict:
        return verdict.refused("Conflicted", f"{conflict.ref}, which is older, is for the same Service")
    strange = [each for each in policy.targets if (each.ref.group, each.ref.kind) != ("", "Service")]
    if strange:
        return verdict.refused("Invalid", f"{strange[0].path}: {strange[0].ref} is not a Service")
    lost = [each for each in policy.targets if (each.ref.namespace, each.ref.name) not in mesh.services]
    if lost:
        return verdict.refused("TargetNotFound", f"{lost[0].path}: there is no {lost[0].ref}")
    if policy.roots not in {"", _SYSTEM}:
        return verdict.refused("Invalid", f"wellKnownCACertificates: {policy.roots} is not known, but {_SYSTEM} is")
    if policy.roots and trust is None:
        return verdict.refused("Invalid", "wellKnownCACertificates: this machine has none")
    if trust is None:
        return verdict.refused("NoValidCACertificate", "none of caCertificateRefs can be used")
    return verdict.accepted("connections to the Service are secured as the policy says")


def _trust(mesh: Mesh, policy: BackendTls, good: list[str]) -> ir.Credential | None:
    if policy.roots == _SYSTEM:
        roots = mesh.options.system_roots
        return ir.Credential(name=_SYSTEM_ROOTS, authorities=roots) if roots else None
    if not good:
        return None
    bundles = [mesh.bundles[each.partition("/")[0], each.partition("/")[2]] for each in good]
    text = "\n".join(bundle.authorities for bundle in bundles)
    name = f"kubernetes://backendtlspolicy/{policy.ref.namespace}/{policy.ref.name}"
    return ir.Credential(name=name, authorities=text)


def _holders(mesh: Mesh) -> Mapping[tuple[Key, str], State]:
    """The policy of each Service, or of its named port; the oldest counts."""
    found = states(mesh)
    return mesh.memo(
        "backend tls holders",
        (found,),
        lambda: {
            ((each.ref.namespace, each.ref.name), each.section): state
            for state in found.values()
            if state.accepted.reason != "Conflicted"
            for each in state.policy.targets
        },
    )


def holding(mesh: Mesh, service: Service, port: Port) -> State | None:
    """The policy of the port: one for the port by its name, else one for the whole Service. The oldest counts."""
    if not mesh.backend_tls_policies or service.registry != "Kubernetes":
        return None
    holders, key = _holders(mesh), (service.namespace, service.name)
    return holders.get((key, port.name)) or holders.get((key, ""))


def applied(mesh: Mesh, view: View, service: Service, port: Port, cluster: Cluster) -> Cluster:
    """The cluster as the policy of its port wants it; closed when that cannot be."""
    if not view.gateways and not port.protocol.is_http:
        return cluster
    state = holding(mesh, service, port)
    if state is None:
        return cluster
    if state.trust is None or not state.accepted.holds:
        return clusters.closed(cluster)
    policy, own = state.policy, _client(mesh, view.client)
    http = UpstreamHttp(version="h2" if port.protocol.is_http2 else "auto") if cluster.http else None
    secured = UpstreamTls(
        certificate=own.name if own else "",
        validation=state.trust.name,
        sni=policy.hostname,
        sans=policy.sans or (policy.hostname,),
        alpn=_ALPN[http.version] if http and http.version in _ALPN else (),
    )
    return replace(cluster, http=http, tls=secured, credentials=tuple(each for each in (own, state.trust) if each))


def _client(mesh: Mesh, name: str) -> ir.Credential | None:
    namespace, _, own = name.partition("/")
    found = mesh.credentials.get((namespace, own)) if name else None
    if found is None:
        return None
    return ir.Credential(name=f"kubernetes://{name}", certificate=found.certificate, key=found.key)


def inputs(mesh: Mesh, view: View, service: Service) -> Iterator[object]:
    """All that the clusters of the service depend on here."""
    for port in service.ports:
        yield holding(mesh, service, port)
    if view.client:
        namespace, _, own = view.client.partition("/")
        yield mesh.credentials.get((namespace, own))


def ancestors(mesh: Mesh, policy: BackendTls) -> tuple[attach.Outcome, ...]:
    """The Gateways and other parents whose routes lead to a Service of the policy: one outcome for each."""
    wanted = {each.ref for each in policy.targets}
    found: dict[object, attach.Outcome] = {}
    for route in attach.routes(mesh):
        named = {backend.ref for rule in route.rules for backend in rule.backends}
        named |= {mirror.ref for rule in route.rules for mirror in rule.filters.mirrors}
        if not wanted.isdisjoint(named):
            for outcome in attach.attachments(mesh).outcomes.get(route.ref, ()):
                if outcome.accepted.holds:
                    found.setdefault(outcome.parent.ref, outcome)
    return tuple(found.values())
