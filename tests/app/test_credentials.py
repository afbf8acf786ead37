import stat
from dataclasses import replace

import pytest

from semafor.app import kubeconfig
from semafor.app.credentials import ADMIN, Credentials
from semafor.app.home import Home
from semafor.base import clock
from semafor.ca import tokens
from semafor.ca.authority import Authority
from semafor.kube.api.options import TokenAsk

ASK = TokenAsk(
    namespace="shop", service_account="web", service_account_uid="u1", audiences=(), lifetime_s=600, bound=None
)
BOUND = replace(ASK, bound={"kind": "Pod", "name": "web-1", "uid": "p1"})
ACCOUNT, POD = ("serviceaccounts", "shop", "web"), ("pods", "shop", "web-1")
OBJECTS = {ACCOUNT: {"metadata": {"uid": "u1"}}, POD: {"metadata": {"uid": "p1"}}}
API = tokens.API_AUDIENCE


@pytest.fixture
def home(tmp_path) -> Home:
    home = Home(tmp_path / "home")
    home.create()
    return home


@pytest.fixture
def credentials(home) -> Credentials:
    return Credentials(home, Authority.open(home.ca, now=clock.now()), lambda *key: OBJECTS.get(key))


def test_the_kubeconfigs_token_is_the_administrators(credentials):
    assert credentials.authenticate(credentials.admin_token) == ADMIN


@pytest.mark.parametrize("token", ["", "guessed", "ü", "a.b.c"])
def test_any_other_token_is_nobodys(credentials, token):
    assert credentials.authenticate(token) is None


def test_a_minted_token_is_its_service_accounts(credentials):
    user = credentials.authenticate(credentials.mint(ASK))
    assert (user.name, user.uid) == ("system:serviceaccount:shop:web", "u1")
    assert user.groups == ("system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated")


def test_a_token_for_others_does_not_open_the_api(credentials):
    assert credentials.authenticate(credentials.mint(replace(ASK, audiences=("vault",)))) is None


def test_a_token_that_has_ended_is_nobodys(credentials):
    assert credentials.authenticate(credentials.mint(replace(ASK, lifetime_s=-5))) is None


def test_the_token_of_the_last_start_stays_valid(home, credentials):
    access = kubeconfig.Access("semafor", "https://127.0.0.1:1", "PEM", credentials.admin_token)
    kubeconfig.write(home.kubeconfig, kubeconfig.document(access))
    assert (
        Credentials(home, Authority.open(home.ca, now=clock.now()), lambda *key: OBJECTS.get(key)).admin_token
        == credentials.admin_token
    )


def test_the_apis_key_is_its_owners_alone(credentials, tmp_path):
    certificate, key = credentials.server_files(tmp_path)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (certificate, key)] == [0o644, 0o600]


def test_a_token_tells_of_its_pod_and_of_itself(credentials):
    extra = dict(credentials.authenticate(credentials.mint(BOUND)).extra)
    assert extra.pop("authentication.kubernetes.io/credential-id")[0].startswith("JTI=")
    assert extra == {
        "authentication.kubernetes.io/pod-name": ("web-1",),
        "authentication.kubernetes.io/pod-uid": ("p1",),
    }


GONE = [
    ("its pod is gone", POD, None),
    ("another pod has its name", POD, {"metadata": {"uid": "p2"}}),
    ("its pod was deleted a while ago", POD, {"metadata": {"uid": "p1", "deletionTimestamp": "2026-01-01T00:00:00Z"}}),
    ("its account is gone", ACCOUNT, None),
    ("another account has its name", ACCOUNT, {"metadata": {"uid": "u2"}}),
]


@pytest.mark.parametrize(("what", "key", "found"), GONE, ids=[case[0] for case in GONE])
def test_a_token_ends_with_what_it_is_bound_to(credentials, monkeypatch, what, key, found):
    token = credentials.mint(BOUND)
    assert credentials.authenticate(token)
    monkeypatch.setitem(OBJECTS, key, found)
    assert credentials.authenticate(token) is None


def test_a_token_of_another_mesh_is_nobodys(credentials, tmp_path):
    other = Home(tmp_path / "other")
    other.create()
    strange = Credentials(other, Authority.open(other.ca, now=clock.now()), lambda *key: OBJECTS.get(key))
    assert credentials.authenticate(strange.mint(ASK)) is None


def test_a_review_says_for_whom_a_token_is_meant(credentials):
    token = credentials.mint(replace(ASK, audiences=("vault", API)))
    assert credentials.review(token, ("vault", "other")).audiences == ("vault",)
    assert credentials.review(token, ("other",)) is None
    assert credentials.review(credentials.admin_token, ("vault",)) is None
