import yaml

from semafor.installation import merge


def test_mappings_are_joined_gateways_by_name_and_other_lists_replaced():
    under = {"a": {"b": 1, "c": [1]}, "ingressGateways": [{"name": "x", "enabled": True}, {"name": "y"}]}
    over = {"a": {"c": [2]}, "ingressGateways": [{"name": "z"}, {"name": "x", "label": {"l": "1"}}]}
    assert merge.overlay(under, over) == {
        "a": {"b": 1, "c": [2]},
        "ingressGateways": [{"name": "x", "enabled": True, "label": {"l": "1"}}, {"name": "y"}, {"name": "z"}],
    }


def test_what_the_user_changed_stays_unless_the_installation_changes_it():
    last = {"kind": "X", "spec": {"replicas": 1, "gone": 1, "both": 1, "kept": 1}}
    live = {"kind": "X", "spec": {"replicas": 3, "gone": 1, "both": 2, "kept": 5, "theirs": 1}}
    wanted = {"kind": "X", "spec": {"replicas": 1, "both": 9, "kept": 1, "new": 1}}
    assert merge.changed(last, wanted, live)["spec"] == {"replicas": 3, "both": 9, "kept": 5, "theirs": 1, "new": 1}


def test_what_nobody_remembers_is_the_users():
    live = {"kind": "X", "spec": {"replicas": 3}}
    wanted = {"kind": "X", "spec": {"replicas": 1, "new": 1}, "labels": {"a": "b"}}
    assert merge.changed(None, wanted, live) == {"kind": "X", "spec": {"replicas": 3, "new": 1}, "labels": {"a": "b"}}


def test_elements_with_names_are_told_apart_by_them():
    last = {"kind": "X", "ports": [{"name": "a", "port": 1}, {"name": "b", "port": 2}]}
    live = {
        "kind": "X",
        "ports": [{"name": "a", "port": 1, "nodePort": 30000}, {"name": "b", "port": 2}, {"name": "u"}],
    }
    wanted = {"kind": "X", "ports": [{"name": "a", "port": 9}, {"name": "c", "port": 3}]}
    ports = merge.changed(last, wanted, live)["ports"]
    assert ports == [{"name": "a", "port": 9, "nodePort": 30000}, {"name": "c", "port": 3}, {"name": "u"}]


def test_a_default_of_the_api_is_no_change_of_the_users():
    last, live = {"kind": "X", "spec": {}}, {"kind": "X", "spec": {"strategy": {"type": "RollingUpdate"}}}
    wanted = {"kind": "X", "spec": {"strategy": {"type": "Recreate"}}}
    assert merge.changed(last, wanted, live)["spec"]["strategy"] == {"type": "Recreate"}


def mesh(text):
    return {"kind": "ConfigMap", "data": {"mesh": text}}


def test_the_mesh_configuration_is_merged_key_by_key():
    live = mesh("accessLogFile: /dev/stdout\nh2UpgradePolicy: UPGRADE # mine\n")
    made = merge.changed(mesh("accessLogFile: /dev/stdout\n"), mesh("accessLogEncoding: JSON\n"), live)
    assert yaml.safe_load(made["data"]["mesh"]) == {"h2UpgradePolicy": "UPGRADE", "accessLogEncoding": "JSON"}


def test_a_mesh_configuration_that_stays_keeps_its_comments():
    live, same = mesh("a: 1 # mine\n"), mesh("a: 1\n")
    assert merge.changed(same, {**same, "new": True}, live) == {**live, "new": True}
