"""Every proxy: what it is, what it was told last, and what is wrong with that.

pods ─▶ take        mesh ─▶ push: configure(mesh, proxy), with its certificate ─▶ xds
"""

import logging
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Protocol

from semafor import ir, planner
from semafor.app import identities, proxies
from semafor.app.leaf_life import Life
from semafor.base import names, peer, xds
from semafor.base.problem import Problem
from semafor.base.xds import SECRET, Resources
from semafor.envoy.patch import MATCHES_NOTHING
from semafor.envoy.render import Renderer
from semafor.planner import Mesh, Proxy
from semafor.planner.proxy import Labels

Doc = dict[str, Any]
log = logging.getLogger(__name__)

_SHORT = {  # as istioctl calls the types of resources, in its order
    xds.CLUSTER: "CDS",
    xds.LISTENER: "LDS",
    xds.ENDPOINTS: "EDS",
    xds.ROUTES: "RDS",
    xds.EXTENSION: "ECDS",
}
_REMEMBERED_PLANS = 8  # of a proxy: a refusal speaks of a plan that may not be the newest any more


def configure(renderer: Renderer, mesh: Mesh, proxy: Proxy) -> tuple[Resources, ir.Plan, tuple[Problem, ...]]:
    """The control plane: what one proxy is to be told, and what is wrong with what it is told."""
    plan, problems = planner.plan(mesh, proxy)
    patched = renderer.patched(renderer.render(plan), plan)
    return patched.resources, plan, (*problems, *renderer.problems(plan), *patched.problems)


class Delivery(Protocol):
    """What the fleet needs of xds.server.Server."""

    @property
    def connected(self) -> tuple[str, ...]: ...
    def push(self, proxy: str, resources: Resources, generation: int) -> None: ...
    def forget(self, proxy: str) -> None: ...
    def settled(self, proxy: str) -> int: ...
    def refuses(self, proxy: str, type_url: str) -> bool: ...
    def states(self, proxy: str) -> dict[str, str]: ...


class Secrets(Protocol):
    """What the fleet needs of identities.Identities: what proxies are told of their certificates."""

    def want(self, proxy: str, wanted: identities.Wanted) -> bool: ...
    def of(self, proxy: str) -> Resources | None: ...
    def forget(self, proxy: str) -> None: ...


class Fleet:
    """The proxies by id (a pod's uid, or `proxies.NODE`). `deliver_by` names the server, before anything else.

    `on_demand`: of all proxies of a cluster, some are served here, and only these are planned for.
    """

    def __init__(
        self, renderer: Renderer, own: Secrets, tokens: proxies.ProxyTokens, *, on_demand: bool = False
    ) -> None:
        self._renderer = renderer
        self._served: set[str] | None = set() if on_demand else None
        self._identities = own
        self._tokens = tokens
        self._delivery: Delivery
        self._proxies: dict[str, Proxy] = {}
        self._of_pods: dict[str, str] = {}  # the ids by `namespace/name`
        self._lives: dict[str, Life] = {}  # of their certificates
        self.trust_domain = ""  # in which these are issued; the mesh's, once every proxy knows that one
        self._plans: dict[str, deque[tuple[int, ir.Plan]]] = {}
        self._problems: dict[str, tuple[Problem, ...]] = {}

    def deliver_by(self, delivery: Delivery) -> None:
        self._delivery = delivery

    # --- who there is ---

    def add(self, proxy: Proxy) -> None:
        self._proxies[proxy.id] = proxy

    def take(self, pod: Doc) -> bool:
        """Take in a pod as it is now; whether it has a proxy that wants another plan."""
        uid = pod["metadata"]["uid"]
        found = proxies.proxy(pod)
        if found is None or self._proxies.get(uid) == found:
            return False
        self._proxies[uid] = found
        self._of_pods[_pod(found)] = uid
        self._lives[uid] = proxies.leaf_life(pod)
        return True

    def forget(self, uid: str) -> None:
        """The pod is gone, and its proxy with it."""
        known = self._proxies.get(uid)
        if known and self._of_pods.get(_pod(known)) == uid:
            del self._of_pods[_pod(known)]
        for table in (self._proxies, self._lives, self._plans, self._problems):
            table.pop(uid, None)
        if self._served is not None:
            self._served.discard(uid)
        self._identities.forget(uid)
        self._tokens.revoke(uid)
        self._delivery.forget(uid)

    # --- what they are told ---

    def push(self, mesh: Mesh, generation: int, views: Mapping[str, Mesh] = MappingProxyType({})) -> tuple[str, ...]:
        """Tell every proxy what the mesh means to it; return what made that impossible, each fault once.

        `views` are what proxies of revisions with a name get in its place.
        """
        faults = self.push_each(mesh, generation, views)
        return tuple(dict.fromkeys(fault for fault in faults if fault))

    def push_each(self, mesh: Mesh, generation: int, views: Mapping[str, Mesh] = MappingProxyType({})) -> Iterator[str]:
        """The same, a proxy at each step, with its fault or an empty text; those that are gone by then are left out."""
        for uid in tuple(self._proxies if self._served is None else self._served):
            if proxy := self._proxies.get(uid):
                yield self._push(proxy, views.get(proxy.revision, mesh), generation)

    def serve(self, proxy: str, mesh: Mesh, generation: int, views: Mapping[str, Mesh] = MappingProxyType({})) -> None:
        """The proxy is about to connect: tell it, and from now on with all others."""
        if self._served is not None and proxy not in self._served:
            self._served.add(proxy)
            known = self._proxies[proxy]
            self._push(known, views.get(known.revision, mesh), generation)

    def rest(self, proxy: str) -> None:
        """The proxy is not connected any more; where it is served on demand, it is another's now."""
        if self._served is not None:
            self._served.discard(proxy)
            self._delivery.forget(proxy)
            self._plans.pop(proxy, None)
            self._problems.pop(proxy, None)

    def _push(self, proxy: Proxy, mesh: Mesh, generation: int) -> str:
        """A fault of ours, which is returned, leaves the proxy with what it has, and the others untouched."""
        try:
            rendered, plan, problems = configure(self._renderer, mesh, proxy)
        except Exception as error:
            log.exception("the configuration of %s could not be made; it keeps the last one", proxy.id)
            return str(error) or type(error).__name__
        self._plans.setdefault(proxy.id, deque(maxlen=_REMEMBERED_PLANS)).append((generation, plan))
        self._problems[proxy.id] = problems
        for workload in proxy.workloads[:1]:
            self.trust_domain = self.trust_domain or mesh.options.trust_domain
            spiffe_id = names.spiffe_id(workload.namespace, workload.service_account, self.trust_domain)
            life, called = self._lives.get(proxy.id, Life()), peer.text(workload.peer)
            self._identities.want(proxy.id, identities.Wanted(spiffe_id, life, called))
            own = self._identities.of(proxy.id)
            if own is None:
                return ""  # what it is told without a certificate would keep it waiting; it soon has one
            rendered = rendered.joined(own)
        self._delivery.push(proxy.id, rendered, generation)
        return ""

    # --- what is asked of it ---

    def plan(self, proxy: str, generation: int | None = None) -> ir.Plan | None:
        """The plan that a pod's proxy got at this generation, the newest without one; None for all other proxies."""
        if proxy in {proxies.NODE, proxies.HOST}:
            return None
        known = [plan for made, plan in self._plans.get(proxy, ()) if generation is None or made <= generation]
        return known[-1] if known else None

    def plan_of_pod(self, name: str) -> ir.Plan | None:
        """The newest plan of the proxy of the pod `namespace/name`; None where it has none."""
        proxy = self.proxy_of_pod(name)
        return self.plan(proxy.id) if proxy else None

    def proxy_of_pod(self, name: str) -> Proxy | None:
        """The proxy of the pod `namespace/name`; None where it has none."""
        return self._proxies.get(self._of_pods.get(name, ""))

    def all(self) -> dict[str, Proxy]:
        """Every proxy that stands before a pod, by the pod's `namespace/name`."""
        return {name: self._proxies[uid] for name, uid in self._of_pods.items() if uid in self._proxies}

    def problems(self) -> Iterator[Problem]:
        """What is wrong with the plans, each problem once.

        That a patch matches nothing is wrong only when it is so in every proxy that has it.
        """
        told = Counter(problem for each in self._problems.values() for problem in each)
        newest = [plans[-1][1] for plans in self._plans.values()]
        having = Counter((patch.origin.ref, f"{patch.origin.path}.match") for plan in newest for patch in plan.patches)
        for problem, count in told.items():
            if problem.reason != MATCHES_NOTHING or count == having[problem.ref, problem.path]:
                yield problem

    def serving(self, namespace: str, labels: Labels) -> frozenset[str]:
        """The proxies of the namespace's pods with these labels."""
        wanted = set(labels)
        return frozenset(
            uid
            for uid, proxy in self._proxies.items()
            for each in proxy.workloads[:1]
            if each.namespace == namespace and wanted <= set(each.labels)
        )

    def has(self, generation: int) -> bool:
        """Whether every connected proxy has everything of the generation."""
        known = (proxy for proxy in self._delivery.connected if proxy in self._proxies)
        return all(self._delivery.settled(proxy) >= generation for proxy in known)

    def lacking(self, generation: int) -> tuple[str, ...]:
        """The connected proxies that do not have everything of the generation, or refuse its secrets."""
        known = (proxy for proxy in self._delivery.connected if proxy in self._proxies)
        return tuple(
            proxy
            for proxy in known
            if self._delivery.settled(proxy) < generation or self._delivery.refuses(proxy, SECRET)
        )

    def name(self, proxy: str) -> str:
        """The proxy in words."""
        found = self._proxies.get(proxy)
        return next((f"{each.namespace}/{each.name}" for each in found.workloads[:1]), proxy) if found else proxy

    def table(self, generation: int) -> list[Doc]:
        """Every proxy with a workload, in words: who it is, whether it is connected, and how far behind."""
        connected = set(self._delivery.connected)
        return [
            {
                "proxy": f"{each.name}.{each.namespace}",
                "connected": uid in connected,
                "behind": generation - self._delivery.settled(uid),
                "types": {_SHORT[url]: state for url, state in self._delivery.states(uid).items() if url in _SHORT},
            }
            for uid, proxy in self._proxies.items()
            for each in proxy.workloads[:1]
        ]


def _pod(proxy: Proxy) -> str:
    """The pod that the proxy is of, `namespace/name`."""
    workload = proxy.workloads[0]
    return f"{workload.namespace}/{workload.name}"
