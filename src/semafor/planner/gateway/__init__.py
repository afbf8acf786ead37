"""Gateways: Envoys at the edge of the mesh, and what they listen on.

    server ──── ports and hosts as values, whichever API says them      (Istio: istio; Gateway API: planner.gateway_api)
    attached ── what routes say of the hosts of a server, in the order in which requests try it

Never: an opinion on which API is the better one. Both end in the same values, so listeners are planned once.
"""
