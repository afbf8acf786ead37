"""The Gateway API's standard channel: what its documents mean to sidecars and to gateways.

    documents ─▶ route, gateway, grant, policy ─▶ values of `Mesh`        read once each, without a look at others
    mesh ─▶ listeners ─▶ attach ─▶ routes by listener, by Service         who may attach to what, and why not
         └▶ backends                                                      what a backendRef leads to
    routes of one listener or Service ─▶ steps ─▶ routes.step.Step        in the order that the specification asks for
    the same ─▶ conditions ─▶ what the objects' statuses say              written by `app`

Never: input or output, time, protobuf. Source: https://gateway-api.sigs.k8s.io, the Go types' comments and the GEPs.
"""

from semafor.resources.gateway_api import GROUP

__all__ = ["GROUP"]
