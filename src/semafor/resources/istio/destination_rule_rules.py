"""Istio's rules for DestinationRules that types alone cannot say. Source: Istio's configuration validation."""

import math
from collections.abc import Iterator
from typing import Any

from semafor.resources import errors, marks
from semafor.resources.errors import FieldError
from semafor.resources.istio import hosts, locality_rules

Doc = dict[str, Any]
_PORT_POLICIES = ("outlierDetection", "connectionPool", "loadBalancer", "tls")
_POLICIES = (*_PORT_POLICIES, "portLevelSettings", "tunnel", "proxyProtocol", "retryBudget")
_FILES = ("clientCertificate", "privateKey", "caCertificates")
# What the server's certificate would be checked by, where it is not checked.
_UNCHECKED = {
    "SIMPLE": ("caCertificates", "subjectAltNames", "credentialName"),
    "MUTUAL": ("caCertificates", "subjectAltNames"),
}
_LARGEST_RING = 8 << 20  # Envoy's limit
_MOST_PLACES = 5_000_011  # Envoy's limit for a Maglev table


def validate(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a DestinationRule, whatever else there is in the mesh."""
    spec = doc.get("spec", {})
    if spec.get("host"):
        yield from hosts.host(spec["host"], "spec.host")
    namespace, alone = doc.get("metadata", {}).get("namespace", ""), "workloadSelector" in spec
    yield from hosts.export_to(spec.get("exportTo", ()), "spec.exportTo", namespace=namespace, alone=alone)
    yield from _policy(spec.get("trafficPolicy"), "spec.trafficPolicy")
    yield from hosts.labels(
        spec.get("workloadSelector", {}).get("matchLabels", {}), "spec.workloadSelector.matchLabels"
    )
    seen: set[str] = set()
    for index, subset in enumerate(spec.get("subsets", ())):
        path, name = f"spec.subsets[{index}]", subset.get("name", "")
        if name and (why := marks.DNS_LABEL.test(name.lower())):
            yield errors.invalid(f"{path}.name", name, why)
        if name in seen:
            yield errors.duplicate(f"{path}.name", name)
        seen.add(name)
        yield from hosts.labels(subset.get("labels", {}), f"{path}.labels")
        yield from _policy(subset.get("trafficPolicy"), f"{path}.trafficPolicy")


def remarks(doc: Doc) -> Iterator[FieldError]:
    """What is allowed, and likely not meant."""
    spec = doc.get("spec", {})
    subsets = enumerate(spec.get("subsets", ()))
    places = [("spec.trafficPolicy", spec), *((f"spec.subsets[{index}].trafficPolicy", one) for index, one in subsets)]
    for path, holder in places:
        policy = holder.get("trafficPolicy", {})
        yield from _policy_remarks(policy, path)
        for index, settings in enumerate(policy.get("portLevelSettings", ())):
            yield from _policy_remarks(settings, f"{path}.portLevelSettings[{index}]")


def _policy_remarks(policy: Doc, path: str) -> Iterator[FieldError]:
    balancer, outliers = policy.get("loadBalancer", {}), policy.get("outlierDetection", {})
    if outliers.get("consecutiveErrors"):
        why = "it is obsolete; use consecutiveGatewayErrors or consecutive5xxErrors"
        yield errors.remark(f"{path}.outlierDetection.consecutiveErrors", why)
    if balancer.get("consistentHash", {}).get("minimumRingSize"):
        yield errors.remark(f"{path}.loadBalancer.consistentHash.minimumRingSize", "it is obsolete; use ringHash")
    locality = balancer.get("localityLbSetting", {})
    if (locality.get("failover") or locality.get("failoverPriority")) and "outlierDetection" not in policy:
        why = "without outlierDetection nobody is found to have failed"
        yield errors.remark(f"{path}.loadBalancer.localityLbSetting", why)


def _policy(policy: Doc | None, path: str) -> Iterator[FieldError]:
    if policy is None:
        return
    if not any(policy.get(name) not in (None, []) for name in _POLICIES):
        yield errors.required(path, "traffic policy must have at least one field")
    if "tunnel" in policy and "proxyProtocol" in policy:
        yield errors.invalid(path, ["tunnel", "proxyProtocol"], "tunnel and proxyProtocol exclude each other")
    yield from _settings(policy, path)
    ports: set[int] = set()
    for index, settings in enumerate(policy.get("portLevelSettings", ())):
        where, port = f"{path}.portLevelSettings[{index}]", settings.get("port", {}).get("number", 0)
        if not port:
            yield errors.required(f"{where}.port.number")
        if port in ports:
            yield errors.duplicate(f"{where}.port.number", port)
        ports.add(port)
        if not any(name in settings for name in _PORT_POLICIES):
            yield errors.required(where, "port traffic policy must have at least one field")
        yield from _settings(settings, where)
    tunnel = policy.get("tunnel", {})
    if tunnel.get("protocol", "") not in ("", "CONNECT", "POST"):
        yield errors.not_supported(f"{path}.tunnel.protocol", tunnel["protocol"], ("CONNECT", "POST"))
    if tunnel.get("targetHost") and not hosts.is_address(tunnel["targetHost"]):
        yield from hosts.full(tunnel["targetHost"], f"{path}.tunnel.targetHost")


def _settings(policy: Doc, path: str) -> Iterator[FieldError]:
    yield from _load_balancer(policy.get("loadBalancer", {}), f"{path}.loadBalancer")
    if "connectionPool" in policy:
        yield from connection_pool(policy["connectionPool"], f"{path}.connectionPool")
    outliers = policy.get("outlierDetection", {})
    for name in ("interval", "baseEjectionTime"):
        yield from hosts.time(outliers, name, f"{path}.outlierDetection")
    if outliers.get("consecutiveLocalOriginFailures") and not outliers.get("splitExternalLocalOriginErrors"):
        why = "is counted only where splitExternalLocalOriginErrors is true"
        yield errors.forbidden(f"{path}.outlierDetection.consecutiveLocalOriginFailures", why)
    for index, code in enumerate(outliers.get("outlierDetectionHttpErrorCodes", ())):
        if not 100 <= code <= 599:
            where = f"{path}.outlierDetection.outlierDetectionHttpErrorCodes[{index}]"
            yield errors.invalid(where, code, "must be between 100 and 599, inclusive")
    yield from _tls(policy.get("tls", {}), f"{path}.tls")


def connection_pool(pool: Doc, path: str) -> Iterator[FieldError]:
    """What is wrong with limits for connections; Sidecars have them too."""
    if "tcp" not in pool and "http" not in pool:
        yield errors.required(path, "connection pool must have at least one field")
    for name in ("time", "interval"):
        yield from hosts.time(pool.get("tcp", {}).get("tcpKeepalive", {}), name, f"{path}.tcp.tcpKeepalive")
    for name in ("connectTimeout", "maxConnectionDuration"):
        yield from hosts.time(pool.get("tcp", {}), name, f"{path}.tcp")
    yield from hosts.time(pool.get("tcp", {}), "idleTimeout", f"{path}.tcp", zero=True)
    yield from hosts.time(pool.get("http", {}), "idleTimeout", f"{path}.http")
    http = pool.get("http", {})
    if http.get("maxRetries", 0) < 0:
        yield errors.invalid(f"{path}.http.maxRetries", http["maxRetries"], "must be 0 or more")
    if http.get("h2UpgradePolicy") == "UPGRADE" and http.get("useClientProtocol"):
        why = "useClientProtocol must not be set when h2UpgradePolicy is UPGRADE"
        yield errors.invalid(f"{path}.http.useClientProtocol", http["useClientProtocol"], why)


def _load_balancer(balancer: Doc, path: str) -> Iterator[FieldError]:
    if "warmup" in balancer and "warmupDurationSecs" in balancer:
        yield errors.invalid(
            path, ["warmup", "warmupDurationSecs"], "only one of warmupDurationSecs or warmup can be set"
        )
    chosen = balancer.get("consistentHash")
    keys = ("httpHeaderName", "httpCookie", "useSourceIp", "httpQueryParameterName")
    if chosen is not None and not any(chosen.get(key) for key in keys):
        yield errors.required(f"{path}.consistentHash", f"one of {', '.join(keys)} must be set")
    if len(several := [key for key in keys if (chosen or {}).get(key)]) > 1:
        yield errors.invalid(f"{path}.consistentHash", several, f"only one of {', '.join(several)} may be set")
    yield from _hash(chosen or {}, f"{path}.consistentHash")
    yield from _warmup(balancer.get("warmup"), f"{path}.warmup")
    yield from locality_rules.validate(balancer.get("localityLbSetting", {}), f"{path}.localityLbSetting")


def _hash(chosen: Doc, path: str) -> Iterator[FieldError]:
    algorithms = [name for name in ("ringHash", "maglev", "minimumRingSize") if chosen.get(name) not in (None, 0)]
    if len(algorithms) > 1:
        yield errors.invalid(path, algorithms, f"only one of {', '.join(algorithms)} may be set")
    for size, where in ((chosen.get("ringHash", {}), f"{path}.ringHash"), (chosen, path)):
        if (least := size.get("minimumRingSize", 0)) > _LARGEST_RING:
            yield errors.invalid(f"{where}.minimumRingSize", least, f"must be at most {_LARGEST_RING}")
    if "maglev" not in chosen:
        return
    size = chosen["maglev"].get("tableSize", 0)
    if not size:
        yield errors.required(f"{path}.maglev.tableSize")
    elif size >= _MOST_PLACES:
        yield errors.invalid(f"{path}.maglev.tableSize", size, f"must be less than {_MOST_PLACES}")
    elif not _is_prime(size):
        yield errors.invalid(f"{path}.maglev.tableSize", size, "must be a prime number")


def _is_prime(number: int) -> bool:
    return number > 1 and all(number % factor for factor in range(2, math.isqrt(number) + 1))


def _warmup(warmup: Doc | None, path: str) -> Iterator[FieldError]:
    if warmup is None:
        return
    yield from hosts.time(warmup, "duration", path)
    if warmup.get("aggression") is not None and warmup["aggression"] < 1:
        yield errors.invalid(f"{path}.aggression", warmup["aggression"], "must be at least 1")


def _tls(tls: Doc, path: str) -> Iterator[FieldError]:
    mode, forbidden = tls.get("mode", ""), dict[str, str]()
    if tls.get("insecureSkipVerify"):
        forbidden |= dict.fromkeys(_UNCHECKED.get(mode, ()), "has no meaning when insecureSkipVerify is true")
    if tls.get("credentialName"):
        forbidden |= dict.fromkeys((*_FILES, "caCrl"), "must not be set together with credentialName")
    elif mode == "MUTUAL":
        for name in ("clientCertificate", "privateKey"):
            if not tls.get(name):
                yield errors.required(f"{path}.{name}", "must be set for mode MUTUAL without credentialName")
    if mode == "ISTIO_MUTUAL":
        own = (*_FILES, "credentialName", "subjectAltNames")
        forbidden |= dict.fromkeys(own, "must not be set for mode ISTIO_MUTUAL")
    for name, why in forbidden.items():
        if tls.get(name):
            yield errors.forbidden(f"{path}.{name}", why)
