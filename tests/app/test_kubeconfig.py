import stat

import pytest

from semafor.app import kubeconfig
from semafor.app.kubeconfig import Access

OURS = Access("semafor", "https://127.0.0.1:6443", "-----PEM-----", "secret")
THEIRS = Access("kind", "https://127.0.0.1:9999", "-----PEM-----", "other")


def names(config, part):
    return [entry["name"] for entry in config[part]]


def test_what_is_written_is_read_again(tmp_path):
    kubeconfig.write(tmp_path / "config", kubeconfig.document(OURS))
    assert kubeconfig.access(kubeconfig.read(tmp_path / "config")) == OURS


def test_merging_keeps_what_others_wrote_and_makes_our_context_current():
    merged = kubeconfig.merged({**kubeconfig.document(THEIRS), "preferences": {"colors": True}}, OURS)
    assert (names(merged, "contexts"), merged["current-context"]) == (["kind", "semafor"], "semafor")
    assert merged["preferences"] == {"colors": True}


def test_merging_twice_is_merging_once():
    once = kubeconfig.merged(kubeconfig.document(THEIRS), OURS)
    assert kubeconfig.merged(once, OURS) == once


def test_taking_ours_out_leaves_what_was_there_before():
    before = kubeconfig.document(THEIRS)
    assert kubeconfig.without(kubeconfig.merged(before, OURS), "semafor", previous="kind") == before


def test_a_previous_context_that_is_gone_is_not_made_current():
    after = kubeconfig.without(kubeconfig.merged(kubeconfig.document(THEIRS), OURS), "semafor", previous="gone")
    assert after["current-context"] == ""


def test_a_context_that_the_user_chose_meanwhile_stays():
    chosen = {**kubeconfig.merged(kubeconfig.document(THEIRS), OURS), "current-context": "kind"}
    assert kubeconfig.without(chosen, "semafor", previous="")["current-context"] == "kind"


@pytest.mark.parametrize("text", [None, "", "\n"])
def test_an_absent_or_empty_file_is_an_empty_configuration(tmp_path, text):
    if text is not None:
        (tmp_path / "config").write_text(text)
    assert not kubeconfig.read(tmp_path / "config").get("contexts")


def test_a_file_of_another_shape_is_refused(tmp_path):
    (tmp_path / "config").write_text("- a\n")
    with pytest.raises(ValueError, match="not a kubeconfig"):
        kubeconfig.read(tmp_path / "config")


def test_a_link_is_written_through_and_the_file_is_its_owners_alone(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "real")
    kubeconfig.write(tmp_path / "link", kubeconfig.document(OURS))
    assert (tmp_path / "link").is_symlink()
    assert stat.S_IMODE((tmp_path / "real").stat().st_mode) == 0o600


def test_an_access_does_not_show_its_token():
    assert "secret" not in repr(OURS)


def test_the_users_file_is_the_first_of_the_environments(monkeypatch):
    monkeypatch.setenv("KUBECONFIG", "/a/config:/b/config")
    assert str(kubeconfig.user_file()) == "/a/config"
