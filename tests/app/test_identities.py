"""Certificates of proxies, by a clock of the test's own."""

from datetime import timedelta

import pytest

from semafor.app.identities import Identities
from semafor.base import xds


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
    return Identities(authority, pool, now=clock, jitter=lambda: 0.0)


def test_a_proxy_gets_its_certificate_and_the_root(identities):
    own = identities.of("a", "shop", "web")
    assert set(own.named(xds.SECRET)) == {"default", "ROOTCA"}


def test_a_certificate_stays_the_same_until_half_of_its_life_and_is_new_then(identities, clock):
    first = identities.of("a", "shop", "web")
    due = identities.next_renewal()
    clock.now = due - timedelta(seconds=1)
    assert identities.of("a", "shop", "web") is first
    clock.now = due
    assert identities.of("a", "shop", "web") != first
    assert identities.next_renewal() > due


def test_half_of_a_days_life_is_half_a_day(identities, start):
    identities.of("a", "shop", "web")
    assert abs(identities.next_renewal() - (start + timedelta(hours=12))) < timedelta(minutes=2)


def test_another_service_account_means_another_certificate(identities):
    assert identities.of("a", "shop", "web") != identities.of("a", "shop", "api")


def test_a_proxy_that_has_gone_is_not_renewed(identities):
    identities.of("a", "shop", "web")
    identities.forget("a")
    assert identities.next_renewal() is None
