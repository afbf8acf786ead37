import base64

import pytest

from semafor.cluster import access


def config(user=None, **cluster):
    return {
        "current-context": "one",
        "clusters": [{"name": "c", "cluster": {"server": "https://10.0.0.1:6443", **cluster}}],
        "users": [{"name": "u", "user": user or {}}],
        "contexts": [{"name": "one", "context": {"cluster": "c", "user": "u"}}],
    }


def test_a_kubeconfig_says_where_and_who():
    data = base64.b64encode(b"PEM").decode()
    found = access.of(config({"token": "s3cret"}, **{"certificate-authority-data": data}))
    assert (found.server, found.ca, found.token) == ("https://10.0.0.1:6443", b"PEM", "s3cret")
    assert "s3cret" not in repr(found)


def test_files_beside_the_kubeconfig_are_read(tmp_path):
    (tmp_path / "ca.crt").write_text("PEM")
    assert access.of(config(**{"certificate-authority": "ca.crt"}), folder=tmp_path).ca == b"PEM"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (config(**{"insecure-skip-tls-verify": True}), "refused"),
        (config({"username": "a", "password": "b"}), "username"),
        ({"current-context": "two"}, "no context 'two'"),
    ],
)
def test_what_is_unsafe_or_missing_is_said(given, words):
    with pytest.raises(access.AccessError, match=words):
        access.of(given)


def test_a_pod_has_its_service_accounts_token(tmp_path):
    (tmp_path / "token").write_text("t")
    (tmp_path / "ca.crt").write_text("PEM")
    found = access.in_cluster({"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}, tmp_path)
    assert (found.server, found.token_file) == ("https://[fd00::1]:443", str(tmp_path / "token"))


def test_outside_of_pods_it_says_what_to_do(tmp_path):
    with pytest.raises(access.AccessError, match="--kubeconfig"):
        access.in_cluster({}, tmp_path)
