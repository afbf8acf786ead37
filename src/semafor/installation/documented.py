"""The keys of the mesh configuration that Istio documents, so that a slip of the pen can be told from a key of Istio's.

Source: Istio's reference of MeshConfig and ProxyConfig, release 1.27. What each does here, `app/mesh_config.py` says.
"""

MESH_CONFIG: tuple[str, ...] = (
    "accessLogEncoding",
    "accessLogFile",
    "accessLogFormat",
    "ca",
    "caCertificates",
    "certificates",
    "configSources",
    "connectTimeout",
    "defaultConfig.availabilityZone",
    "defaultConfig.binaryPath",
    "defaultConfig.caCertificatesPem",
    "defaultConfig.concurrency",
    "defaultConfig.configPath",
    "defaultConfig.controlPlaneAuthPolicy",
    "defaultConfig.customConfigFile",
    "defaultConfig.discoveryAddress",
    "defaultConfig.drainDuration",
    "defaultConfig.envoyAccessLogService",
    "defaultConfig.envoyMetricsService",
    "defaultConfig.extraStatTags",
    "defaultConfig.fileFlushInterval",
    "defaultConfig.fileFlushMinSizeKb",
    "defaultConfig.gatewayTopology.forwardClientCertDetails",
    "defaultConfig.gatewayTopology.numTrustedProxies",
    "defaultConfig.gatewayTopology.proxyProtocol",
    "defaultConfig.holdApplicationUntilProxyStarts",
    "defaultConfig.image",
    "defaultConfig.interceptionMode",
    "defaultConfig.meshId",
    "defaultConfig.privateKeyProvider",
    "defaultConfig.proxyAdminPort",
    "defaultConfig.proxyBootstrapTemplatePath",
    "defaultConfig.proxyHeaders",
    "defaultConfig.proxyMetadata",
    "defaultConfig.proxyStatsMatcher",
    "defaultConfig.readinessProbe",
    "defaultConfig.runtimeValues",
    "defaultConfig.sds",
    "defaultConfig.serviceCluster",
    "defaultConfig.statNameLength",
    "defaultConfig.statsdUdpAddress",
    "defaultConfig.statusPort",
    "defaultConfig.terminationDrainDuration",
    "defaultConfig.tracing.customTags",
    "defaultConfig.tracing.datadog",
    "defaultConfig.tracing.enableIstioTags",
    "defaultConfig.tracing.lightstep",
    "defaultConfig.tracing.maxPathTagLength",
    "defaultConfig.tracing.openCensusAgent",
    "defaultConfig.tracing.sampling",
    "defaultConfig.tracing.stackdriver",
    "defaultConfig.tracing.tlsSettings",
    "defaultConfig.tracing.zipkin",
    "defaultConfig.tracingServiceName",
    "defaultConfig.zipkinAddress",
    "defaultDestinationRuleExportTo",
    "defaultHttpRetryPolicy",
    "defaultProviders",
    "defaultServiceExportTo",
    "defaultVirtualServiceExportTo",
    "disableEnvoyListenerLog",
    "discoverySelectors",
    "dnsRefreshRate",
    "enableAutoMtls",
    "enableEnvoyAccessLogService",
    "enablePrometheusMerge",
    "enableTracing",
    "extensionProviders",
    "h2UpgradePolicy",
    "inboundClusterStatName",
    "inboundTrafficPolicy.mode",
    "ingressClass",
    "ingressControllerMode",
    "ingressSelector",
    "ingressService",
    "localityLbSetting",
    "meshMTLS",
    "outboundClusterStatName",
    "outboundTrafficPolicy.mode",
    "pathNormalization.normalization",
    "proxyHttpPort",
    "proxyInboundListenPort",
    "proxyListenPort",
    "rootNamespace",
    "serviceScopeConfigs",
    "serviceSettings",
    "tcpKeepalive",
    "thriftConfig",
    "tlsDefaults",
    "trustDomain",
    "trustDomainAliases",
    "verifyCertificateAtClient",
)
OURS = "semafor"  # keys below it are no keys of Istio's
_NAMES = frozenset(name for path in MESH_CONFIG for name in path.split("."))


def is_known(path: str) -> bool:
    """Whether the path leads to a key that is documented, or into one."""
    if path.split(".", 1)[0] == OURS:
        return True
    inside = path.replace("[", ".")
    return any(
        inside == known or inside.startswith(f"{known}.") or known.startswith(f"{inside}.") for known in MESH_CONFIG
    )


def near() -> frozenset[str]:
    """All names that a wrong one may have been meant for."""
    return _NAMES
