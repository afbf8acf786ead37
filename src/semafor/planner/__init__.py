"""From what the user wrote to what it means: typed objects in, the frozen plan of one proxy and the mistakes out.

    Mesh.of(objects) ─▶ plan(mesh, proxy) ─▶ ir.Plan, problems        mesh.replace(...) after a change
                     └▶ check(mesh) ─▶ problems        about(mesh, object) ─▶ its own

    objects   service, instances, virtual_service (http_route, http_match, http_action, l4_route), destination_rule:
              read once each
    routes    step: what the objects of every API say of requests, as one kind of value; delegates
    index     mesh (by host, by namespace), hosts, memo
    rules     layering (which VirtualService first), resolve (is a destination live), http_routes, tcp_routes, patches
    parts     outbound (outbound_http, outbound_tcp, tcp_chains, door, headless, passthrough, clusters), inbound, dns: a
              sidecar; node
    mistakes  check: topics (route_check, l4_check, rule_check, ...); problems has the words

Never: input or output, time, protobuf, or an exception for a user's mistake. It is a pure function; the caches that
`Mesh` carries change how fast it answers, never what.
"""

from msgspec.structs import replace

from semafor.base.problem import Problem
from semafor.ir import Plan
from semafor.planner import host, node, patches, sidecar
from semafor.planner.check import about, check
from semafor.planner.gateway import plan as gateway_plan
from semafor.planner.mesh import Mesh
from semafor.planner.options import Options
from semafor.planner.proxy import Proxy, Workload

__all__ = ["Mesh", "Options", "Proxy", "Workload", "about", "check", "plan"]

_ROLES = {"sidecar": sidecar.plan, "gateway": gateway_plan.plan, "node": node.plan, "host": host.plan}


def plan(mesh: Mesh, proxy: Proxy) -> tuple[Plan, tuple[Problem, ...]]:
    """The plan of the proxy, and the problems of the objects that it is made of."""
    made, changed = _ROLES[proxy.role](mesh, proxy), patches.of(mesh, proxy)
    return replace(made, patches=changed) if changed else made, check(mesh)
