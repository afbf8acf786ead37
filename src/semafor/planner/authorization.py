"""Who may call the workloads of a proxy."""

from semafor.ir import Authorization, Condition, Rule
from semafor.planner.mesh import Mesh
from semafor.planner.proxy import Proxy
from semafor.planner.smi import access


def of(mesh: Mesh, proxy: Proxy) -> Authorization | None:
    """What is allowed; None where everything is. Workloads that share a proxy share their service account."""
    if not mesh.traffic_targets or not proxy.workloads:
        return None
    workload, specs = proxy.workloads[0], mesh.traffic_specs
    targets = access.targeting(mesh.traffic_targets, workload)
    return access.authorization(targets, specs, workload, mesh.options.trust_domain)


def of_bytes(allowed: Authorization | None) -> Authorization | None:
    """What of it bytes can meet: no condition on a request ever holds for them."""
    if allowed is None:
        return None
    rules = (_of_bytes(rule) for rule in allowed.allow)
    return Authorization(allow=tuple(rule for rule in rules if rule))


def _of_bytes(rule: Rule) -> Rule | None:
    who, what = _possible(rule.who), _possible(rule.what)
    if (rule.who and not who) or (rule.what and not what):
        return None
    return Rule(name=rule.name, who=who, what=what, origin=rule.origin)


def _possible(alternatives: tuple[tuple[Condition, ...], ...]) -> tuple[tuple[Condition, ...], ...]:
    return tuple(each for each in alternatives if not any(condition.needs_request for condition in each))
