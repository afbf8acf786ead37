"""What users change in the rendered configuration itself (`ir.Patch`, from EnvoyFilters), applied last.

    rendered resources + plan.patches ─ values (decode) ─ listeners, routes, clusters ─ check ─▶ resources, problems

Rendered resources are shared between proxies and are never changed: one that a patch is about is decoded anew, changed
and serialized, once for each set of patches that are about it. A patch that does not decode, or whose result Envoy
would refuse, is left out and told of; the others still count.
"""

from semafor.envoy.patch.patcher import MATCHES_NOTHING, Patched, Patcher

__all__ = ["MATCHES_NOTHING", "Patched", "Patcher"]
