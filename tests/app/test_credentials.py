import stat
from dataclasses import replace

import pytest

from semafor.app import kubeconfig
from semafor.app.credentials import ADMIN, Credentials
from semafor.app.home import Home
from semafor.base import clock
from semafor.ca.authority import Authority
from semafor.kube.api.options import TokenAsk

ASK = TokenAsk(
    namespace="shop", service_account="web", service_account_uid="u1", audiences=(), lifetime_s=600, bound=None
)


@pytest.fixture
def home(tmp_path) -> Home:
    home = Home(tmp_path / "home")
    home.create()
    return home


@pytest.fixture
def credentials(home) -> Credentials:
    return Credentials(home, Authority.open(home.ca, now=clock.now()))


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
    assert Credentials(home, Authority.open(home.ca, now=clock.now())).admin_token == credentials.admin_token


def test_the_apis_key_is_its_owners_alone(credentials, tmp_path):
    certificate, key = credentials.server_files(tmp_path)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (certificate, key)] == [0o644, 0o600]
