"""Why a field that is written has no effect, and what does what was likely meant."""

from typing import Final

_OBSOLETE: Final = "Istio does not look at it either"
_NO_MACHINES: Final = "no machine registers itself here"
_WRITE_ENTRIES: Final = "write a WorkloadEntry for each machine"
_OF_APP: Final = "requests reach the application in the version that its port is declared to speak"
_DECLARE: Final = "declare the port's protocol, by its name or appProtocol"
_NO_DEFAULT: Final = "there are no default Gateways"
_NAME_GATEWAY: Final = "name the Gateway in the routes' parentRefs"
_NONE_OF_OURS: Final = "there are none that this mesh knows"

_NOT_YET: Final = "this version does not implement it"
_UNKNOWN: Final = (_NOT_YET, "remove it, or expect the object to work as if it were absent")
_WHY: Final = {
    "exponentialDelay": (_OBSOLETE, "use fixedDelay"),
    "http2Error": (_OBSOLETE, "use httpStatus or grpcStatus"),
    "sourceSubnet": (_OBSOLETE, "use sourceLabels or sourceNamespace"),
    "consecutiveErrors": (_OBSOLETE, "use consecutiveGatewayErrors or consecutive5xxErrors"),
    "defaultEndpoint": (_OBSOLETE, "bind a VirtualService to the Gateway"),
    "targetPort": (_OBSOLETE, "remove it"),
    "portName": (_OBSOLETE, "use portNumber"),
    "egressProxy": (_NOT_YET, "lead the hosts to an egress gateway by a VirtualService"),
    "waypoint": ("there are no waypoints here", "match SIDECAR_INBOUND, SIDECAR_OUTBOUND or GATEWAY"),
    "network": ("the mesh is one network: every address is reached directly", "remove it"),
    "zoneAwareLbSetting": (
        "an Envoy does not know the replicas of its own pod, by which it would share zones out",
        "use localityLbSetting: with outlierDetection near pods come first, with distribute by shares",
    ),
    "tls": (
        "a sidecar ends no TLS but the mesh's own",
        "let callers in the mesh come by mutual TLS, which needs no setting, others through a Gateway with tls",
    ),
    "h2UpgradePolicy": (_OF_APP, _DECLARE),
    "useClientProtocol": (_OF_APP, _DECLARE),
    "maxConcurrentStreams": (_OF_APP, "limit callers by a DestinationRule's connectionPool"),
    "http2KeepAlive": (_OF_APP, "write it in a DestinationRule's connectionPool, for the way between proxies"),
    "template": (_NO_MACHINES, _WRITE_ENTRIES),
    "metadata": (_NO_MACHINES, _WRITE_ENTRIES),
    "probe": (_NO_MACHINES, _WRITE_ENTRIES),
    "useDefaultGateways": (_NO_DEFAULT, _NAME_GATEWAY),
    "defaultScope": (_NO_DEFAULT, _NAME_GATEWAY),
    "sessionPersistence": (_NOT_YET, "use a DestinationRule with loadBalancer.consistentHash.httpCookie"),
    "externalAuth": (_NOT_YET, "use an AuthorizationPolicy with action CUSTOM and an extension provider"),
    "extensionRef": (_NONE_OF_OURS, "use the filters of the Gateway API, or an EnvoyFilter"),
    "options": (_NONE_OF_OURS, "remove them"),
}
_VALUES: Final = {
    "UDP": "datagrams pass beside sidecars, as in Istio; gateways take them by routes of the kind UDPRoute",
    "WAYPOINT": "there are no waypoints here",
}


def of(field: str) -> tuple[str, str]:
    """The reason and the mend, for a field by its name."""
    return _WHY.get(field, _UNKNOWN)


def of_value(value: str) -> str:
    """The reason, for a value of a field that takes others."""
    return _VALUES.get(value, _NOT_YET)
