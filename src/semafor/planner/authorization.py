"""Who may call the workloads of a proxy: tokens, then guards."""

from collections.abc import Iterable, Iterator
from contextlib import suppress

from msgspec.structs import replace

from semafor.base.problem import Problem
from semafor.base.struct import Value
from semafor.ir import Authorizer, Cluster, Conditions, FilterChain, Guard, Rule, TcpProxy, TokenIssuer
from semafor.planner.calling import providers
from semafor.planner.calling import view as views
from semafor.planner.calling.providers import Reached
from semafor.planner.calling.view import View
from semafor.planner.checks import problems
from semafor.planner.checks.problems import at
from semafor.planner.mesh import Mesh
from semafor.planner.proxy import Proxy, Workload
from semafor.planner.security import authorization_policy, authorizer, request_authentication, trust_domains
from semafor.planner.security.authorization_policy import AuthorizationPolicy
from semafor.planner.smi import access


class Checks(Value):
    """What a request has to pass before it gets to a workload: its token has to be valid, each guard to let it on.

    `reached` are the authorizers whom the guards ask: the plan has to have their clusters.
    """

    issuers: tuple[TokenIssuer, ...] = ()
    guards: tuple[Guard, ...] = ()
    reached: tuple[Reached, ...] = ()


NONE = Checks()


def of(mesh: Mesh, proxy: Proxy) -> Checks:
    """What stands before the workloads of the proxy. Those that share one also share their labels."""
    policies = (mesh.authorization_policies, mesh.request_authentications, mesh.traffic_targets)
    if not proxy.workloads or not any(policies):
        return NONE
    workload, root = proxy.workloads[0], mesh.options.root_namespace
    asked = dict(_asked(mesh, workload))
    return Checks(
        issuers=request_authentication.issuers(mesh.request_authentications, mesh.token_keys, workload, root),
        guards=tuple(_guards(mesh, workload, root, {name: one for name, (one, _) in asked.items()})),
        reached=tuple({reached.cluster.name: reached for _, reached in asked.values()}.values()),
    )


def added(checks: Checks, clusters: Iterable[Cluster]) -> tuple[Reached, ...]:
    """The authorizers whose clusters are not among these."""
    known = {cluster.name for cluster in clusters} if checks.reached else set()
    return tuple(one for one in checks.reached if one.cluster.name not in known)


def _asked(mesh: Mesh, workload: Workload) -> Iterator[tuple[str, tuple[Authorizer, Reached]]]:
    """The providers of the workload's policies that can be asked, by name."""
    own = authorization_policy.covering(mesh.authorization_policies, mesh.options.root_namespace, workload)
    names = sorted({policy.provider for policy in own if policy.action == "ask"})
    view = views.of(mesh, workload) if names else None
    for name in names:
        with suppress(authorizer.Unusable):
            yield name, _authorizer(mesh, view, name)


def _authorizer(mesh: Mesh, view: View | None, name: str) -> tuple[Authorizer, Reached]:
    """Raises authorizer.Unusable."""
    provider = authorizer.find(mesh.options.providers, name)
    own = view or View(namespace=mesh.options.root_namespace)
    reached = providers.reach(mesh, own, provider.service, provider.port, grpc=authorizer.is_grpc(provider))
    if reached is None:
        raise authorizer.Unusable(f"there is no service {provider.service} with a port {provider.port}")
    return authorizer.read(name, provider, cluster=reached.cluster.name, host=reached.host), reached


def check(mesh: Mesh, policy: AuthorizationPolicy) -> Iterator[Problem]:
    """What is wrong with the policy, and whether its provider can be asked."""
    yield from policy.problems
    if policy.action == "ask":
        try:
            _authorizer(mesh, None, policy.provider)
        except authorizer.Unusable as error:
            yield problems.provider_unusable(at(policy.origin, "provider.name"), str(error))


def _guards(mesh: Mesh, workload: Workload, root: str, asked: dict[str, Authorizer]) -> Iterator[Guard]:
    own = authorization_policy.guards(mesh.authorization_policies, root, workload, asked)
    yield from trust_domains.guards(own, mesh.options.trust_domains)
    targets = access.targeting(mesh.traffic_targets, workload)
    if allowed := access.guard(targets, mesh.traffic_specs, workload, mesh.options.trust_domains):
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
        narrowed = _narrowed if guard.action in ("allow", "log") else _widened
        rules = (narrowed(rule) for rule in guard.rules)
        found = replace(guard, rules=tuple(rule for rule in rules if rule))
        asks_of_requests = guard.authorizer and guard.authorizer.protocol == "http"  # which has no word for bytes
        yield replace(found, action="deny", authorizer=None) if asks_of_requests else found


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
