"""Istio's codes for what the checker finds, where Istio has one. Source: Istio's "Configuration Analysis Messages"."""

from collections.abc import Mapping

from semafor.app.analysis.message import Level
from semafor.base.problem import Problem

NOT_FOUND = "IST0101"  # ReferencedResourceNotFound
NOT_INJECTED = "IST0102"  # NamespaceNotInjected
NO_PROXY = "IST0103"  # PodMissingProxy
SCHEMA = "IST0106"  # SchemaValidationError
PORT_NAME = "IST0118"  # PortNameIsNotUnderNamingConvention
TWO_LABELS = "IST0123"  # NamespaceMultipleInjectionLabels
NO_WORKLOADS = "IST0127"  # NoMatchingWorkloadsFound
SCHEMA_WARNING = "IST0133"  # SchemaWarning
RESERVED_USER = "IST0144"  # InvalidApplicationUID
BAD_CREDENTIAL = "IST0161"  # InvalidGatewayCredential
SUBSET_WITHOUT_PODS = "IST0173"  # DestinationRuleSubsetsNotSelectPods
TLS_CONFLICT = "IST0113"  # MTLSPolicyConflict
TWO_PROTOCOLS = "IST0116"  # DeploymentAssociatedToMultipleServices
TWO_PORTS = "IST0137"  # DeploymentConflictingPorts
AUTO = "IST0146"  # ImageAutoWithoutInjectionWarning
AUTO_POD = "IST0147"  # ImageAutoWithoutInjectionError
CLAIMS = "IST0149"  # JwtClaimBasedRoutingWithoutRequestAuthN
EXTERNAL_PORT = "IST0150"  # ExternalNameServiceTypeInvalidPortName
NOT_EXPOSED = "IST0162"  # GatewayPortNotDefinedOnService
# Kiali's, where Istio has none.
NO_EXPORT = "KIA0005"
NO_NAMESPACE = "KIA0101"
NO_METHOD = "KIA0102"
NEEDS_MUTUAL_TLS = "KIA0105"
NO_ACCOUNT = "KIA0106"
NO_LABELS = "KIA0209"
NO_TARGET_PORT = "KIA0701"
LONE_WEIGHT = "KIA1104"
TWICE = "KIA1105"
# Ours, where neither has one.
NO_PATH = "PathWithoutSlash"
NO_PODS = "NoPods"

_BY_REASON: Mapping[str, str] = {
    "BackendNotFound": NOT_FOUND,
    "BadCredential": BAD_CREDENTIAL,
    "DelegateUnusable": NOT_FOUND,
    "InvalidAnnotation": "IST0125",
    "NoAddress": "IST0134",  # ServiceEntryAddressesRequired
    "NoCredential": NOT_FOUND,
    "NoPods": NOT_FOUND,  # as istioctl says it of a Gateway's selector
    "SubsetNotLive": SUBSET_WITHOUT_PODS,
    "UnknownGateway": NOT_FOUND,
    "UnknownHost": NOT_FOUND,
    "UnknownPort": NOT_FOUND,
    "UnknownSubset": NOT_FOUND,
    "UnknownTraffic": NOT_FOUND,
    "Unreachable": "IST0130",  # VirtualServiceUnreachableRule
    "NotServed": "IST0132",  # VirtualServiceHostNotFoundInGateway
    "Overridden": "IST0109",  # ConflictingMeshGatewayVirtualServiceHosts
    "Overrides": "IST0109",
}
# What Istio calls errors, and we warn of, because here a route that lacks something only waits for it.
_ERRORS = frozenset({NOT_FOUND, SUBSET_WITHOUT_PODS, BAD_CREDENTIAL})
_LEVELS: Mapping[str, Level] = {"info": "Info", "warning": "Warning", "error": "Error"}
_CONFLICTS: Mapping[str, str] = {"Sidecar": "IST0110", "Gateway": "IST0145"}


def of(problem: Problem) -> str:
    """The code of a problem; its reason where Istio has no such message."""
    if problem.reason == "Conflict" and problem.ref.kind in _CONFLICTS:
        return _CONFLICTS[problem.ref.kind]
    return _BY_REASON.get(problem.reason, problem.reason)


def level(problem: Problem, code: str) -> Level:
    """How grave it is: as Istio has it, else as the checker."""
    return "Error" if code in _ERRORS else _LEVELS[problem.severity]
