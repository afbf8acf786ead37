"""Istio's codes for what the checker finds, where Istio has one. Source: Istio's "Configuration Analysis Messages"."""

from collections.abc import Iterable, Mapping
from typing import Any

from semafor.app.analysis.message import Level
from semafor.base.problem import Problem

NOT_FOUND = "IST0101"  # ReferencedResourceNotFound
NOT_INJECTED = "IST0102"  # NamespaceNotInjected
NO_PROXY = "IST0103"  # PodMissingProxy
MISPLACED = "IST0107"  # MisplacedAnnotation
UNKNOWN_ANNOTATION = "IST0108"  # UnknownAnnotation
SCHEMA = "IST0106"  # SchemaValidationError
PORT_NAME = "IST0118"  # PortNameIsNotUnderNamingConvention
TWO_LABELS = "IST0123"  # NamespaceMultipleInjectionLabels
INVALID_ANNOTATION = "IST0125"  # InvalidAnnotation
UNREACHABLE = "IST0130"  # VirtualServiceUnreachableRule
INEFFECTIVE = "IST0131"  # VirtualServiceIneffectiveMatch
NO_WORKLOADS = "IST0127"  # NoMatchingWorkloadsFound
SCHEMA_WARNING = "IST0133"  # SchemaWarning
RESERVED_USER = "IST0144"  # InvalidApplicationUID
RIVAL_TELEMETRIES = "IST0159"  # ConflictingTelemetryWorkloadSelectors
BAD_CREDENTIAL = "IST0161"  # InvalidGatewayCredential
SUBSET_WITHOUT_PODS = "IST0173"  # DestinationRuleSubsetsNotSelectPods
TLS_CONFLICT = "IST0113"  # MTLSPolicyConflict
TWO_PROTOCOLS = "IST0116"  # DeploymentAssociatedToMultipleServices
SAME_CERTIFICATE = "IST0138"  # GatewayDuplicateCertificate
TWO_PORTS = "IST0137"  # DeploymentConflictingPorts
AUTO = "IST0146"  # ImageAutoWithoutInjectionWarning
AUTO_POD = "IST0147"  # ImageAutoWithoutInjectionError
CLAIMS = "IST0149"  # JwtClaimBasedRoutingWithoutRequestAuthN
EXTERNAL_PORT = "IST0150"  # ExternalNameServiceTypeInvalidPortName
NOT_EXPOSED = "IST0162"  # GatewayPortNotDefinedOnService
BAD_STATUS = "IST0171"  # NegativeConditionStatus
RIVAL_ENTRIES = "IST0177"  # ConflictingServiceEntryProtocol
# Kiali's, where Istio has none.
NO_METHOD = "KIA0102"
NEEDS_MUTUAL_TLS = "KIA0105"
NO_ACCOUNT = "KIA0106"
NO_LABELS = "KIA0209"
NO_TARGET_PORT = "KIA0701"
LONE_WEIGHT = "KIA1104"
TWICE = "KIA1105"
NO_GRANT = "KIA1601"
# Ours, where neither has one.
NO_PATH = "PathWithoutSlash"
NO_PODS = "NoPods"

_BY_REASON: Mapping[str, str] = {
    "BackendNotFound": NOT_FOUND,
    "BadCredential": BAD_CREDENTIAL,
    "DelegateUnusable": NOT_FOUND,
    "InvalidAnnotation": INVALID_ANNOTATION,
    "NoAddress": "IST0134",  # ServiceEntryAddressesRequired
    "NoCredential": NOT_FOUND,
    "NoPods": NOT_FOUND,  # as istioctl says it of a Gateway's selector
    "SubsetNotLive": SUBSET_WITHOUT_PODS,
    "UnknownGateway": NOT_FOUND,
    "UnknownHost": NOT_FOUND,
    "UnknownPort": NOT_FOUND,
    "UnknownSubset": NOT_FOUND,
    "UnknownTraffic": NOT_FOUND,
    "Unreachable": UNREACHABLE,
    "NotServed": "IST0132",  # VirtualServiceHostNotFoundInGateway
    "Overridden": "IST0109",  # ConflictingMeshGatewayVirtualServiceHosts
    "Overrides": "IST0109",
}
# What Istio calls errors, and we warn of, because here a route that lacks something only waits for it.
_ERRORS = frozenset({NOT_FOUND, SUBSET_WITHOUT_PODS, BAD_CREDENTIAL})
_LEVELS: Mapping[str, Level] = {"info": "Info", "warning": "Warning", "error": "Error"}
_REFUSED_PATCHES: Mapping[str, str] = {"REPLACE": "IST0152", "ADD": "IST0153", "REMOVE": "IST0154"}


def of(problem: Problem, document: Mapping[str, Any] | None = None) -> str:
    """The code of a problem of the object; its reason where Istio has no such message."""
    kind, spec = problem.ref.kind, (document or {}).get("spec") or {}
    match problem.reason, kind:
        case "Conflict", "Sidecar":
            return "IST0110" if spec.get("workloadSelector") else "IST0111"
        case "Conflict" | "Ignored", "Telemetry":
            return RIVAL_TELEMETRIES if spec.get("selector") else "IST0160"
        case "Conflict", "Gateway":
            return "IST0145"
        case "UnknownHost", "DestinationRule":
            return "IST0174"
        case "NotSupported", "EnvoyFilter" if problem.path.endswith("patch.operation"):
            return _REFUSED_PATCHES.get(problem.message.partition(" ")[0], problem.reason)
        case "ProviderUnusable", "Telemetry":
            return "IST0157"
    return _BY_REASON.get(problem.reason, problem.reason)


def level(problem: Problem, code: str) -> Level:
    """How grave it is: as Istio has it, else as the checker."""
    return "Error" if code in _ERRORS else _LEVELS[problem.severity]


def ineffective(unreachable: Iterable[str], spec: Mapping[str, Any]) -> frozenset[str]:
    """Of the paths of matches that nothing gets to, those whose route has another that something gets to (IST0131)."""
    found: dict[str, list[str]] = {}
    for path in unreachable:
        route, _, match = path.rpartition(".match[")
        if route and match:
            found.setdefault(route, []).append(path)
    return frozenset(path for route, paths in found.items() if len(paths) < _matches(route, spec) for path in paths)


def _matches(route: str, spec: Mapping[str, Any]) -> int:
    """How many matches the route at a path like `spec.http[0]` has."""
    kind, _, index = route.removeprefix("spec.").rstrip("]").partition("[")
    routes = spec.get(kind) or []
    return len(routes[int(index)].get("match") or ()) if index.isdigit() and int(index) < len(routes) else 0
