import pytest

from semafor.app import mesh_config
from semafor.ir import RetryBudget
from semafor.planner import Options
from semafor.planner.traffic.locality import LocalitySetting


def test_an_empty_document_means_the_defaults():
    assert mesh_config.read({}) == (Options(), ())


def test_istios_words_and_ours_set_options():
    document = {"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}, "semafor": {"holdRoutes": False}}
    assert mesh_config.read(document) == (Options(outbound="REGISTRY_ONLY", hold=False), ())


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
        "localityLbSetting": {"enabled": False},
        "semafor": {"retryBudget": {"percent": 50, "minRetryConcurrency": 5}, "environment": "production"},
    }
    expected = Options(
        h2_upgrade="UPGRADE",
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
