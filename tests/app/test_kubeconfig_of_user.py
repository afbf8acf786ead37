"""A kubeconfig for somebody else than the administrator."""

from semafor.app import kubeconfig
from semafor.app.cli.kubeconfig import of_user


def test_nothing_of_the_administrator_is_in_it():
    access = kubeconfig.Access("semafor", "https://127.0.0.1:6443", "PEM", "the-token")
    made = of_user(kubeconfig.document(access), "jane", {"client-key-data": "a2V5"})
    assert "the-token" not in str(made)
    assert made["users"] == [{"name": "semafor-jane", "user": {"client-key-data": "a2V5"}}]
    assert made["current-context"] == "semafor-jane"
    assert made["contexts"] == [{"name": "semafor-jane", "context": {"cluster": "semafor", "user": "semafor-jane"}}]
    assert made["clusters"] == kubeconfig.document(access)["clusters"]
