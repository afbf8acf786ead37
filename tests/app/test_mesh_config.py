import pytest

from semafor.app import mesh_config
from semafor.planner import Options


def test_an_empty_document_means_the_defaults():
    assert mesh_config.read({}) == (Options(), ())


def test_istios_words_and_ours_set_options():
    document = {"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}, "semafor": {"holdRoutes": False}}
    assert mesh_config.read(document) == (Options(outbound="REGISTRY_ONLY", hold=False), ())


def test_a_key_without_effect_is_named_and_the_others_count():
    options, (problem,) = mesh_config.read({"rootNamespace": "mesh", "defaultConfig": {"concurrency": 2}})
    assert options == Options(root_namespace="mesh")
    assert str(problem) == (
        "ConfigMap istio-system/istio data.mesh defaultConfig.concurrency: "
        "is not supported and has no effect (remove it)"
    )


def test_a_value_that_is_not_allowed_keeps_the_default_and_says_what_is():
    options, (problem,) = mesh_config.read({"semafor": {"severalVirtualServices": "newest"}})
    assert options == Options()
    assert (problem.message, problem.fix) == ("cannot be 'newest'", "write layered or oldest")


@pytest.mark.parametrize("document", ["text", ["a"], 7])
def test_a_document_that_is_no_mapping_is_unusable(document):
    with pytest.raises(mesh_config.Unusable):
        mesh_config.read(document)
