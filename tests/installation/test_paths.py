import pytest

from semafor.installation import paths


@pytest.mark.parametrize(
    ("setting", "made"),
    [
        ("profile=demo", {"profile": "demo"}),
        ("values.pilot.traceSampling=5", {"values": {"pilot": {"traceSampling": 5}}}),
        ("spec.hub=a:b=c", {"hub": "a:b=c"}),
        ("a.b[0].c=true", {"a": {"b": [{"c": True}]}}),
        ("a[name:x].c=null", {"a": [{"name": "x", "c": None}]}),
        (r"nodeSelector.kubernetes\.io/os=linux", {"nodeSelector": {"kubernetes.io/os": "linux"}}),
        ("a={x,2}", {"a": ["x", 2]}),
        ("a=1-2-3", {"a": "1-2-3"}),
        ("a=007", {"a": "007"}),
        ("a=", {"a": ""}),
    ],
)
def test_a_setting_puts_its_value_at_its_path(setting, made):
    assert paths.put({}, *paths.setting(setting)) == made


@pytest.mark.parametrize("setting", ["profile", "=demo", "[0]=x", "a[3]=x", "a[x]=y", "a.b[0]=1", "p.q=1"])
def test_a_setting_that_leads_nowhere_is_refused(setting):
    with pytest.raises(paths.WrongPath):
        paths.put({"a": {"b": {}}, "p": "text"}, *paths.setting(setting))


def test_a_selector_finds_its_element():
    tree = {"env": [{"name": "A", "value": "1"}, {"name": "B"}], "ports": ["x", "y"]}
    assert paths.put(tree, paths.parse("env.[name:B].value"), "2")["env"][1] == {"name": "B", "value": "2"}
    assert paths.without(tree, paths.parse("env.[name:A]"))["env"] == [{"name": "B"}]
    assert paths.without(tree, paths.parse("ports.[:x]"))["ports"] == ["y"]
    with pytest.raises(paths.WrongPath, match="no \\[name:C\\]"):
        paths.without(tree, paths.parse("env.[name:C].value"))
