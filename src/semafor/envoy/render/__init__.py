"""One plan -> the resources of one proxy: `Renderer(pool).render(plan)`.

    plan.listeners ─ listener ─ tls, http_connection ─ http_filters     LDS
    plan.dns ─────── dns                                                LDS, CDS
    plan.routes ──── routes ─ matches, actions                          RDS
    plan.clusters ── clusters ─ tls                                     CDS
    plan.endpoints ─ endpoints                                          EDS
    plan.credentials ─ ..secrets                                        SDS

Each part of a plan is frozen, so it is rendered once, however many proxies and generations share it.
"""

from semafor.envoy.render.renderer import Renderer

__all__ = ["Renderer"]
