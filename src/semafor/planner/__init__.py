"""From what the user wrote to what it means: typed objects in, the frozen plan of one proxy and the mistakes out.

    Mesh.of(objects) ─▶ plan(mesh, proxy) ─▶ ir.Plan, problems        mesh.replace(...) after a change
                     └▶ check(mesh) ─▶ problems        about(mesh, object) ─▶ its own

    services/     what can be called, and the instances behind it: Services, ServiceEntries, WorkloadEntries
    routes/       what VirtualServices and their like say, as steps, and the steps as routes of the plan
    gateway_api/, smi/   the same steps, from other APIs
    traffic/      DestinationRules: how the instances are called
    security/     who may call
    gateway/      gateways: what they listen on, and where it leads
    calling/      the outbound half of a sidecar; inbound and dns are the other parts, node and host the other proxies
    checks/       mistakes: what is wrong, and the words for it
    mesh          the index of it all: tables (what is read of each kind), by host, by namespace; memo
    touched       what a change of routes or instances is about, so that the rest is not looked at

Never: input or output, time, protobuf, or an exception for a user's mistake. It is a pure function; the caches that
`Mesh` carries change how fast it answers, never what.
"""

from msgspec.structs import replace

from semafor.base.problem import Problem
from semafor.ir import Plan
from semafor.planner import host, node, patches, sidecar
from semafor.planner.checks.check import about, check
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
