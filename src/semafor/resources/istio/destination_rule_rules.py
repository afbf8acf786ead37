"""Istio's rules for DestinationRules that types alone cannot say. Source: Istio's configuration validation."""

from collections.abc import Iterator
from typing import Any

from semafor.resources import errors, marks
from semafor.resources.errors import FieldError
from semafor.resources.istio import hosts

Doc = dict[str, Any]


def validate(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a DestinationRule, whatever else there is in the mesh."""
    spec = doc.get("spec", {})
    if spec.get("host"):
        yield from hosts.host(spec["host"], "spec.host")
    yield from hosts.export_to(spec.get("exportTo", ()), "spec.exportTo")
    yield from _policy(spec.get("trafficPolicy", {}), "spec.trafficPolicy")
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
        yield from _policy(subset.get("trafficPolicy", {}), f"{path}.trafficPolicy")


def _policy(policy: Doc, path: str) -> Iterator[FieldError]:
    yield from _settings(policy, path)
    ports: set[int] = set()
    for index, settings in enumerate(policy.get("portLevelSettings", ())):
        where, port = f"{path}.portLevelSettings[{index}]", settings.get("port", {}).get("number", 0)
        if not port:
            yield errors.required(f"{where}.port.number")
        if port in ports:
            yield errors.duplicate(f"{where}.port.number", port)
        ports.add(port)
        yield from _settings(settings, where)
    if policy.get("tunnel", {}).get("protocol", "") not in ("", "CONNECT", "POST"):
        yield errors.not_supported(f"{path}.tunnel.protocol", policy["tunnel"]["protocol"], ("CONNECT", "POST"))


def _settings(policy: Doc, path: str) -> Iterator[FieldError]:
    yield from _load_balancer(policy.get("loadBalancer", {}), f"{path}.loadBalancer")
    yield from connection_pool(policy.get("connectionPool", {}), f"{path}.connectionPool")
    outliers = policy.get("outlierDetection", {})
    for name in ("interval", "baseEjectionTime"):
        yield from hosts.time(outliers, name, f"{path}.outlierDetection")
    for index, code in enumerate(outliers.get("outlierDetectionHttpErrorCodes", ())):
        if not 100 <= code <= 599:
            where = f"{path}.outlierDetection.outlierDetectionHttpErrorCodes[{index}]"
            yield errors.invalid(where, code, "must be between 100 and 599, inclusive")
    yield from _tls(policy.get("tls", {}), f"{path}.tls")


def connection_pool(pool: Doc, path: str) -> Iterator[FieldError]:
    """What is wrong with limits for connections; Sidecars have them too."""
    for name in ("connectTimeout", "maxConnectionDuration"):
        yield from hosts.time(pool.get("tcp", {}), name, f"{path}.tcp")
    yield from hosts.time(pool.get("tcp", {}), "idleTimeout", f"{path}.tcp", zero=True)
    yield from hosts.time(pool.get("http", {}), "idleTimeout", f"{path}.http", zero=True)
    http = pool.get("http", {})
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
    locality = balancer.get("localityLbSetting", {})
    ways = [name for name in ("distribute", "failover", "failoverPriority") if locality.get(name)]
    if "distribute" in ways and len(ways) > 1:
        yield errors.invalid(f"{path}.localityLbSetting", ways, "distribute excludes failover and failoverPriority")
    for index, share in enumerate(locality.get("distribute", ())):
        total = sum(share.get("to", {}).values())
        if total != 100:
            yield errors.invalid(f"{path}.localityLbSetting.distribute[{index}].to", total, "shares must sum up to 100")
    for index, failover in enumerate(locality.get("failover", ())):
        if failover.get("from") == failover.get("to"):
            where = f"{path}.localityLbSetting.failover[{index}]"
            yield errors.invalid(where, failover.get("from", ""), "from and to must be different")


def _tls(tls: Doc, path: str) -> Iterator[FieldError]:
    files = ("clientCertificate", "privateKey", "caCertificates")
    if tls.get("credentialName"):
        for name in files:
            if tls.get(name):
                yield errors.forbidden(f"{path}.{name}", "must not be set together with credentialName")
    elif tls.get("mode") == "MUTUAL":
        for name in ("clientCertificate", "privateKey"):
            if not tls.get(name):
                yield errors.required(f"{path}.{name}", "must be set for mode MUTUAL without credentialName")
    if tls.get("mode") == "ISTIO_MUTUAL":
        for name in (*files, "credentialName", "subjectAltNames"):
            if tls.get(name):
                yield errors.forbidden(f"{path}.{name}", "must not be set for mode ISTIO_MUTUAL")
