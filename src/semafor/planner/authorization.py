"""Who may call the workloads of a proxy."""

from collections.abc import Iterator

from msgspec.structs import replace

from semafor.ir import Conditions, FilterChain, Guard, Rule, TcpProxy
from semafor.planner.mesh import Mesh
from semafor.planner.proxy import Proxy
from semafor.planner.security import authorization_policy
from semafor.planner.smi import access


def of(mesh: Mesh, proxy: Proxy) -> tuple[Guard, ...]:
    """What stands before them; each guard has to let a call pass. Workloads that share a proxy share their labels."""
    if not proxy.workloads or not (mesh.authorization_policies or mesh.traffic_targets):
        return ()
    workload, options = proxy.workloads[0], mesh.options
    targets = access.targeting(mesh.traffic_targets, workload)
    allowed = access.guard(targets, mesh.traffic_specs, workload, options.trust_domain)
    policies = authorization_policy.guards(mesh.authorization_policies, options.root_namespace, workload)
    return (*policies, *([allowed] if allowed else []))


def guarded(chain: FilterChain, guards: tuple[Guard, ...]) -> FilterChain:
    """The chain where only what the guards allow passes."""
    if not guards:
        return chain
    kept = tuple(of_bytes(guards)) if isinstance(chain.filter, TcpProxy) else guards
    return replace(chain, filter=replace(chain.filter, guards=kept))


def of_bytes(guards: tuple[Guard, ...]) -> Iterator[Guard]:
    """What the guards mean to bytes, on which no condition on a request can be tested.

    In doubt they refuse: who is allowed something of requests alone is not allowed bytes, and who is denied something
    of requests is denied all bytes that the other conditions take. Source: Istio's task on TCP traffic.
    """
    for guard in guards:
        narrowed = _narrowed if guard.action == "allow" else _widened
        rules = (narrowed(rule) for rule in guard.rules)
        yield Guard(action=guard.action, rules=tuple(rule for rule in rules if rule), dry_run=guard.dry_run)


def _narrowed(rule: Rule) -> Rule | None:
    """Without the alternatives that ask for something of a request; None when nothing is left."""
    who, what = (tuple(each for each in side if not _needs_request(each)) for side in (rule.who, rule.what))
    if (rule.who and not who) or (rule.what and not what):
        return None
    return replace(rule, who=who, what=what)


def _needs_request(conditions: Conditions) -> bool:
    return any(condition.needs_request for condition in conditions)


def _widened(rule: Rule) -> Rule:
    """With the conditions on requests left out; an alternative without any other takes everything."""
    sides = []
    for side in (rule.who, rule.what):
        left = tuple(tuple(each for each in conditions if not each.needs_request) for conditions in side)
        sides.append(() if () in left else left)
    return replace(rule, who=sides[0], what=sides[1])
