import pytest

from semafor.app import mesh_config, mesh_config_providers
from semafor.ir import RetryBudget
from semafor.planner import Options
from semafor.planner.traffic.locality import LocalitySetting
from semafor.resources.istio.extension_provider import DefaultProviders


def test_an_empty_document_means_the_defaults():
    assert mesh_config.read({}) == (Options(), ())


def test_istios_words_and_ours_set_options():
    document = {"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}, "semafor": {"holdRoutes": False}}
    assert mesh_config.read(document) == (Options(outbound="REGISTRY_ONLY", hold=False), ())


def test_how_gateways_take_headers_in():
    document = {"semafor": {"headersWithUnderscores": "DROP_HEADER"}}
    assert mesh_config.read(document) == (Options(underscores="DROP_HEADER"), ())


def test_a_key_without_effect_is_named_and_the_others_count():
    options, (problem,) = mesh_config.read({"rootNamespace": "mesh", "defaultConfig": {"drainDuration": "2s"}})
    assert options == Options(root_namespace="mesh")
    assert str(problem) == (
        "ConfigMap istio-system/istio data.mesh defaultConfig.drainDuration: "
        "is not supported and has no effect (remove it)"
    )


def test_a_value_that_is_not_allowed_keeps_the_default_and_says_what_is():
    options, (problem,) = mesh_config.read({"semafor": {"severalVirtualServices": "newest"}})
    assert options == Options()
    assert (problem.message, problem.fix) == ("cannot be 'newest'", "write layered or oldest")


def test_whole_parts_are_in_the_words_of_destination_rules():
    document = {
        "h2UpgradePolicy": "UPGRADE",
        "pathNormalization": {"normalization": "MERGE_SLASHES"},
        "localityLbSetting": {"enabled": False},
        "semafor": {"retryBudget": {"percent": 50, "minRetryConcurrency": 5}, "environment": "production"},
    }
    expected = Options(
        h2_upgrade="UPGRADE",
        paths="merge_slashes",
        locality=LocalitySetting(enabled=False),
        retry_budget=RetryBudget(percent=50.0, min_concurrency=5),
        environment="production",
    )
    assert mesh_config.read(document) == (expected, ())


def test_no_budget_means_any_number_of_retries():
    assert mesh_config.read({"semafor": {"retryBudget": "none"}}) == (Options(retry_budget=None), ())


@pytest.mark.parametrize("budget", ["much", {"percent": "half"}, {"share": 20}])
def test_a_part_that_is_not_understood_keeps_the_default(budget):
    options, (problem,) = mesh_config.read({"semafor": {"retryBudget": budget}})
    assert (options, problem.reason) == (Options(), "InvalidValue")


@pytest.mark.parametrize("document", ["text", ["a"], 7])
def test_a_document_that_is_no_mapping_is_unusable(document):
    with pytest.raises(mesh_config.Unusable):
        mesh_config.read(document)


def test_paths_are_normalised_as_istio_says():
    document = {"pathNormalization": {"normalization": "DECODE_AND_MERGE_SLASHES"}}
    assert mesh_config.read(document) == (Options(paths="decode_and_merge_slashes"), ())
    assert mesh_config.read({"pathNormalization": {"normalization": "SOME"}})[1][0].reason == "InvalidValue"


_AUTHORIZER = {"name": "policy", "envoyExtAuthzGrpc": {"service": "opa.default.svc.cluster.local", "port": 9191}}
_KINDS = {
    "envoyExtAuthzHttp": {"service": "a", "port": 1, "includeRequestHeadersInCheck": ["x-*"], "timeout": "1s"},
    "envoyExtAuthzGrpc": {"service": "a", "port": 1, "includeRequestBodyInCheck": {"maxRequestBytes": 10}},
    "zipkin": {"service": "a", "port": 1, "enable64bitTraceId": True},
    "lightstep": {"service": "a", "port": 1, "accessToken": "hush"},
    "datadog": {"service": "a", "port": 1},
    "stackdriver": {"logging": {"labels": {"path": "request.url_path"}}},
    "opencensus": {"service": "a", "port": 1, "context": ["B3"]},
    "skywalking": {"service": "a", "port": 1, "accessToken": "hush"},
    "opentelemetry": {"service": "a", "port": 1, "http": {"path": "/v1", "headers": [{"name": "k", "value": "hush"}]}},
    "prometheus": {},
    "envoyFileAccessLog": {"path": "/dev/stdout", "logFormat": {"text": "%PROTOCOL%"}},
    "envoyHttpAls": {"service": "a", "port": 1, "additionalRequestHeadersToLog": ["x-a"]},
    "envoyTcpAls": {"service": "a", "port": 1, "logName": "mine"},
    "envoyOtelAls": {"service": "a", "port": 1, "logFormat": {"labels": {"a": "%PROTOCOL%"}}},
    "sds": {"service": "a", "port": 1},
}


@pytest.mark.parametrize("kind", _KINDS)
def test_every_kind_of_provider_is_read_without_showing_a_secret(kind):
    options, problems = mesh_config.read({"extensionProviders": [{"name": "one", kind: _KINDS[kind]}]})
    (provider,) = options.providers
    assert (provider.name, provider.of_kind) == ("one", kind)
    assert "hush" not in repr(provider)
    supported = kind in mesh_config_providers.ACTED_ON
    assert [problem.reason for problem in problems] == ([] if supported else ["UnsupportedKey"])


def test_a_provider_that_is_wrong_is_left_out_and_the_others_count():
    wrong = [{"name": "a", "zipkin": {"service": "z", "port": 0}}, {"name": "b"}, "text"]
    options, problems = mesh_config.read({"extensionProviders": [_AUTHORIZER, *wrong]})
    assert [provider.name for provider in options.providers] == ["policy"]
    assert [problem.path for problem in problems if problem.reason == "InvalidValue"] == [
        "data.mesh extensionProviders[1].zipkin.port",
        "data.mesh extensionProviders[2]",
        "data.mesh extensionProviders[3]",
    ]


def test_of_two_providers_with_one_name_the_first_counts():
    options, problems = mesh_config.read({"extensionProviders": [_AUTHORIZER, _AUTHORIZER]})
    assert len(options.providers) == 1
    assert [problem.path for problem in problems if problem.reason == "Conflict"] == [
        "data.mesh extensionProviders[1].name"
    ]


def test_a_field_that_a_provider_does_not_have_is_named():
    stray = {"name": "p", "prometheus": {"colour": "red"}}
    _, problems = mesh_config.read({"extensionProviders": [stray]})
    assert "data.mesh extensionProviders[0].prometheus.colour" in [problem.path for problem in problems]


def test_a_field_without_effect_is_named_and_the_provider_counts():
    told = {"service": "a", "port": 1, "maxTagLength": 9, "http": {"headers": [{"name": "k", "envName": "KEY"}]}}
    options, problems = mesh_config.read({"extensionProviders": [{"name": "p", "opentelemetry": told}]})
    assert [provider.name for provider in options.providers] == ["p"]
    assert [(problem.reason, problem.path.rpartition("opentelemetry")[2]) for problem in problems] == [
        ("UnsupportedKey", ".maxTagLength"),
        ("UnsupportedKey", ".http.headers[0].envName"),
    ]


def test_the_default_providers_are_read():
    options, _ = mesh_config.read({"defaultProviders": {"tracing": ["zipkin"], "accessLogging": ["file"]}})
    assert options.default_providers == DefaultProviders(tracing=("zipkin",), access_logging=("file",))


def test_networks_where_no_issuer_is_asked():
    options, problems = mesh_config.read({"semafor": {"refusedIssuers": ["10.1.2.3/8", "fe80::/10"]}})
    assert (options.refused_issuers, problems) == (("10.0.0.0/8", "fe80::/10"), ())
    for wrong in ("10.0.0.0/8", ["here"], [1]):
        options, [problem] = mesh_config.read({"semafor": {"refusedIssuers": wrong}})
        assert (options, problem.reason) == (Options(), "InvalidValue")
