"""Who may call the workloads of a proxy: tokens, then guards."""

from collections.abc import Iterator

from msgspec.structs import replace

from semafor.base.struct import Value
from semafor.ir import Conditions, FilterChain, Guard, Rule, TcpProxy, TokenIssuer
from semafor.planner.mesh import Mesh
from semafor.planner.proxy import Proxy, Workload
from semafor.planner.security import authorization_policy, request_authentication
from semafor.planner.smi import access


class Checks(Value):
    """What a request has to pass before it gets to a workload: its token has to be valid, each guard to let it on."""

    issuers: tuple[TokenIssuer, ...] = ()
    guards: tuple[Guard, ...] = ()


NONE = Checks()


def of(mesh: Mesh, proxy: Proxy) -> Checks:
    """What stands before the workloads of the proxy. Those that share one also share their labels."""
    policies = (mesh.authorization_policies, mesh.request_authentications, mesh.traffic_targets)
    if not proxy.workloads or not any(policies):
        return NONE
    workload, root = proxy.workloads[0], mesh.options.root_namespace
    return Checks(
        issuers=request_authentication.issuers(mesh.request_authentications, mesh.token_keys, workload, root),
        guards=tuple(_guards(mesh, workload, root)),
    )


def _guards(mesh: Mesh, workload: Workload, root: str) -> Iterator[Guard]:
    yield from authorization_policy.guards(mesh.authorization_policies, root, workload)
    targets = access.targeting(mesh.traffic_targets, workload)
    if allowed := access.guard(targets, mesh.traffic_specs, workload, mesh.options.trust_domain):
        yield allowed


def checked(chain: FilterChain, checks: Checks) -> FilterChain:
    """The chain where only what passes the checks gets on."""
    if checks == NONE:
        return chain
    if isinstance(chain.filter, TcpProxy):
        return replace(chain, filter=replace(chain.filter, guards=tuple(of_bytes(checks.guards))))
    return replace(chain, filter=replace(chain.filter, token_issuers=checks.issuers, guards=checks.guards))


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
