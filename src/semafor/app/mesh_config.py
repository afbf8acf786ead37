"""The mesh configuration: ConfigMap `istio` in `istio-system`, key `mesh`, in Istio's words (MeshConfig). Pure.

Keys below `semafor` are ours: the switches between Semafor's behaviour and Istio's.
"""

from collections.abc import Callable, Mapping
from typing import Any

import yaml

from semafor.app import mesh_config_parts, mesh_config_providers, topology
from semafor.app.upstream import settings as upstream
from semafor.base.problem import ObjectRef, Problem
from semafor.planner.options import Options

NAMESPACE = "istio-system"
NAME = "istio"
_REF = ObjectRef(kind="ConfigMap", name=NAME, namespace=NAMESPACE)

# path in the document -> (field of Options, allowed values; none: any text)
_KEYS: dict[tuple[str, ...], tuple[str, tuple[Any, ...]]] = {
    ("outboundTrafficPolicy", "mode"): ("outbound", ("ALLOW_ANY", "REGISTRY_ONLY")),
    ("rootNamespace",): ("root_namespace", ()),
    ("semafor", "allocatedNetwork"): ("allocated_network", ()),
    ("semafor", "severalVirtualServices"): ("several_virtual_services", ("layered", "oldest")),
    ("semafor", "holdRoutes"): ("hold", (True, False)),
    ("semafor", "environment"): ("environment", ("development", "production")),
    ("semafor", "reasons"): ("reasons", ("outside-production", "always", "never")),
    ("semafor", "headersWithUnderscores"): ("underscores", ("REJECT_REQUEST", "DROP_HEADER", "ALLOW")),
    ("h2UpgradePolicy",): ("h2_upgrade", ("UPGRADE", "DO_NOT_UPGRADE")),
    ("accessLogFile",): ("access_log_file", ()),
    ("accessLogEncoding",): ("access_log_encoding", ("TEXT", "JSON")),
}
_TOPOLOGY = ("defaultConfig", "gatewayTopology")
_TOPOLOGY_KEYS = ("numTrustedProxies", "forwardClientCertDetails")
_PROXY_KEYS = ("concurrency", "proxyMetadata", "image", "proxyStatsMatcher")

# path of a part that is read as a whole -> (field of Options, its reader, which raises ValueError)
_PARTS: dict[tuple[str, ...], tuple[str, Callable[[Any], Any]]] = {
    ("pathNormalization", "normalization"): ("paths", mesh_config_parts.paths),
    ("semafor", upstream.KEY): ("", upstream.read),  # its keeper looks there by itself
    ("enablePrometheusMerge",): ("", mesh_config_parts.switch),  # looked at when a pod is made
    ("trustDomain",): ("trust_domain", mesh_config_parts.trust_domain),
    ("trustDomainAliases",): ("trust_domain_aliases", mesh_config_parts.trust_domains),
    ("localityLbSetting",): ("locality", mesh_config_parts.locality),
    ("accessLogFormat",): ("access_log_format", mesh_config_parts.log_format),
    ("defaultConfig", "tracing", "sampling"): ("trace_sampling", mesh_config_parts.share),
    ("semafor", "refusedIssuers"): ("refused_issuers", mesh_config_parts.networks),
    ("semafor", "retryBudget"): ("retry_budget", mesh_config_parts.retry_budget),
}
# The same of parts in which single entries can be wrong, while the others count.
_PROVIDERS: dict[str, Callable[[Any], mesh_config_providers.Read]] = {
    "extensionProviders": mesh_config_providers.providers,
    "defaultProviders": mesh_config_providers.defaults,
}


class Unusable(Exception):  # noqa: N818 - named for what the document is
    """The document cannot be used at all."""


def of(config_map: Mapping[str, Any]) -> tuple[Options, tuple[Problem, ...]]:
    """The same of the ConfigMap; an empty one means the defaults. Raises Unusable."""
    try:
        document = yaml.safe_load((config_map.get("data") or {}).get("mesh", ""))
    except yaml.YAMLError as error:
        raise Unusable(str(error)) from error
    return read(document or {})


def document(config_map: Mapping[str, Any]) -> Mapping[str, Any]:
    """The mesh configuration as it is written; empty when it cannot be used."""
    try:
        found = yaml.safe_load((config_map.get("data") or {}).get("mesh", ""))
    except yaml.YAMLError:
        return {}
    return found if isinstance(found, Mapping) else {}


def read(document: Any) -> tuple[Options, tuple[Problem, ...]]:
    """The options that the document sets, and what of it is not understood or not supported.

    A key that is not understood keeps its default; the others take effect. Raises Unusable.
    """
    if not isinstance(document, Mapping):
        raise Unusable("the key `mesh` has to hold a mapping")
    options: dict[str, Any] = {}
    problems = []
    for key, reader in _PROVIDERS.items():
        if key in document:
            known, flaws = reader(document[key])
            options |= known
            problems += [_problem((key + flaw.path,), flaw.reason, flaw.message, flaw.fix) for flaw in flaws]
    for path, value in _leaves(document):
        if path[0] in _PROVIDERS:
            continue
        if path[0] == "defaultConfig" and path[1:2] and path[1] in _PROXY_KEYS:
            continue  # looked at when a pod is made
        if path[:2] == _TOPOLOGY and path[2:] in {(key,) for key in _TOPOLOGY_KEYS}:
            options["edge"] = topology.edge(document["defaultConfig"]["gatewayTopology"])
            continue
        found = _part(path, value) if path in _PARTS else _option(path, value)
        if isinstance(found, Problem):
            problems.append(found)
        else:
            options |= found
    return Options(**options), tuple(problems)


def _option(path: tuple[str, ...], value: Any) -> dict[str, Any] | Problem:
    field, allowed = _KEYS.get(path, ("", ()))
    if not field:
        return _problem(path, "UnsupportedKey", "is not supported and has no effect", "remove it")
    if allowed and value not in allowed:
        words = " or ".join(str(each) for each in allowed)
        return _problem(path, "InvalidValue", f"cannot be {value!r}", f"write {words}")
    return {field: value}


def _part(path: tuple[str, ...], value: Any) -> dict[str, Any] | Problem:
    field, reader = _PARTS[path]
    try:
        found = {field: reader(value)}
    except ValueError as error:
        return _problem(path, "InvalidValue", f"is not understood: {error}", "mend it; until then it has no effect")
    return found if field else {}


def _leaves(document: Mapping[str, Any], prefix: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    found = []
    for key, value in document.items():
        path = (*prefix, str(key))
        inner = isinstance(value, Mapping) and value and path not in _PARTS
        found += _leaves(value, path) if inner else [(path, value)]
    return found


def _problem(path: tuple[str, ...], reason: str, message: str, fix: str) -> Problem:
    return Problem(ref=_REF, path=f"data.mesh {'.'.join(path)}", reason=reason, message=message, fix=fix)
