"""Keys in a pod: who sees what of them."""

import os
import stat

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from semafor.ca import pod_keys


def test_the_request_is_of_the_key_in_the_file_and_names_nobody(tmp_path):
    made = pod_keys.make(tmp_path, ())
    request = x509.load_pem_x509_csr(made.request)
    key = serialization.load_pem_private_key((tmp_path / made.name).read_bytes(), password=None)
    assert request.public_key() == key.public_key()
    assert (request.is_signature_valid, request.subject, list(request.extensions)) == (True, x509.Name([]), [])


def test_a_key_is_its_owners_alone(tmp_path):
    made = pod_keys.make(tmp_path, ())
    assert stat.S_IMODE((tmp_path / made.name).stat().st_mode) == 0o400


def test_the_key_in_use_stays_and_older_ones_go(tmp_path):
    first, used = (pod_keys.make(tmp_path, ()).name for _ in range(2))
    newest = pod_keys.make(tmp_path, (used,)).name
    assert {path.name for path in tmp_path.iterdir()} == {used, newest}
    assert first not in {used, newest}


def test_what_is_answered_holds_no_key(tmp_path):
    answer = pod_keys.answer({"keep": []}, str(tmp_path))
    assert "PRIVATE" not in str(answer)
    assert set(answer) == {"name", "request"}


def test_forks_that_think_they_are_the_same_process_make_different_keys(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "getpid", lambda: 1)
    pod_keys.make(tmp_path, ())  # so that a generator that is shared would be shared from here on
    for child in "abcd":
        (tmp_path / child).mkdir()
        if (pid := os.fork()) == 0:
            pod_keys.make(tmp_path / child, ())
            os._exit(0)
        os.waitpid(pid, 0)
    assert len({path.name for path in tmp_path.glob("?/*.pem")}) == 4
