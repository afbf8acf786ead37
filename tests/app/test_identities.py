"""Certificates of proxies, by a clock of the test's own."""

from datetime import timedelta

import pytest
from cryptography import x509

from semafor.app.identities import Identities, Wanted
from semafor.app.leaf_life import Life
from semafor.base import xds
from semafor.ca import keys, trust
from semafor.ca.authority import Authority

WEB = Wanted("spiffe://cluster.local/ns/shop/sa/web")
API = Wanted("spiffe://cluster.local/ns/shop/sa/api")


class Clock:
    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def clock(start):
    return Clock(start)


@pytest.fixture
def identities(authority, pool, clock):
    return Identities(trust.start(authority, clock.now), pool, now=clock, jitter=lambda: 0.0)


def enrol(identities, proxy="a", wanted=WEB):
    identities.want(proxy, wanted)
    identities.certify(proxy, keys.request(keys.generate()), "k.pem")
    return identities.leaves()[proxy]


def test_a_proxy_is_told_nothing_before_it_has_a_certificate(identities):
    identities.want("a", WEB)
    assert (identities.of("a"), identities.due()) == (None, ("a",))


def test_a_proxy_gets_its_certificate_and_the_root(identities):
    enrol(identities)
    assert set(identities.of("a").named(xds.SECRET)) == {"default", "ROOTCA"}
    assert identities.due() == ()


def test_who_the_proxy_is_comes_from_the_plan_and_never_from_the_request(identities):
    key = keys.load(keys.generate())
    other = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(API.spiffe_id)])
    request = x509.CertificateSigningRequestBuilder(x509.Name([])).add_extension(other, critical=False)
    identities.want("a", WEB)
    identities.certify("a", request.sign(key, keys.hashes.SHA256()).public_bytes(keys.serialization.Encoding.PEM), "k")
    made = x509.load_pem_x509_certificate(identities.leaves()["a"].certificate.pem)
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [name.value for name in names] == [WEB.spiffe_id]


def test_a_certificate_is_due_again_at_half_of_its_life(identities, clock):
    enrol(identities)
    clock.now = identities.next_renewal() - timedelta(seconds=1)
    assert identities.due() == ()
    clock.now = identities.next_renewal()
    assert identities.due() == ("a",)


def test_half_of_a_days_life_is_half_a_day(identities, start):
    enrol(identities)
    assert abs(identities.next_renewal() - (start + timedelta(hours=12))) < timedelta(minutes=2)


def test_life_and_renewal_are_as_the_pod_wants_them(identities, start):
    leaf = enrol(identities, wanted=Wanted(WEB.spiffe_id, Life(timedelta(hours=1), 0.8)))
    assert leaf.certificate.not_after == start + timedelta(hours=1)
    assert abs(leaf.renew_at - (start + timedelta(minutes=48))) < timedelta(minutes=1)


def test_another_service_account_wants_another_certificate(identities):
    enrol(identities)
    identities.want("a", API)
    assert identities.due() == ("a",)


def test_another_authority_wants_another_certificate_of_each(identities, start):
    enrol(identities)
    coming = trust.aim(trust.start(Authority.new(now=start), start), Authority.new(now=start), start)
    identities.follow(trust.advance(coming, known=True, replaced=True, now=start))
    assert (identities.due(), identities.others()) == (("a",), ("a",))
    enrol(identities)
    assert (identities.due(), identities.others()) == ((), ())


def test_a_proxy_that_has_gone_gets_nothing_more(identities):
    enrol(identities)
    identities.forget("a")
    identities.certify("a", keys.request(keys.generate()), "k.pem")
    assert (identities.of("a"), identities.due(), identities.next_renewal()) == (None, (), None)
