"""Identities of the mesh's trust domain and of its aliases are the same. Rows after Istio's own tests of this."""

import pytest

from semafor.base.problem import ObjectRef
from semafor.ir import Guard, Origin, Rule
from semafor.planner.security import conditions, trust_domains
from semafor.resources.istio import authorization_policy as istio

ORIGIN = Origin(ref=ObjectRef(kind="AuthorizationPolicy", name="p", namespace="foo"), path="spec")


def expanded(field: str, written: str, *domains: str) -> set[str]:
    (condition,) = conditions.of_fields(istio.Source(**{field: (written,)}), conditions.SOURCE, "foo")
    rule = Rule(name="r", who=((condition,),), what=(), origin=ORIGIN)
    (guard,) = trust_domains.guards((Guard(action="allow", rules=(rule,)),), domains)
    (found,) = guard.rules[0].who[0]
    return {f"{value.kind} {value.value.removeprefix('spiffe://')}" for value in found.values}


@pytest.mark.parametrize(
    ("written", "domains", "found"),
    [
        ("cluster.local/ns/foo/sa/bar", ("cluster.local",), {"exact cluster.local/ns/foo/sa/bar"}),
        ("cluster.local/ns/foo/sa/bar", ("td1",), {"exact td1/ns/foo/sa/bar"}),
        ("td1/ns/foo/sa/bar", ("td2", "td1"), {"exact td2/ns/foo/sa/bar", "exact td1/ns/foo/sa/bar"}),
        ("td1/ns/foo/sa/*", ("td2", "td1"), {"prefix td2/ns/foo/sa/", "prefix td1/ns/foo/sa/"}),
        ("*-td/ns/foo/sa/bar", ("new-td", "old-td"), {"suffix -td/ns/foo/sa/bar"}),
        ("*-td/ns/foo/sa/bar", ("some", "old-td"), {"exact some/ns/foo/sa/bar", "suffix -td/ns/foo/sa/bar"}),
        ("*/ns/foo/sa/bar", ("td2", "td1"), {"suffix /ns/foo/sa/bar"}),
        ("other/ns/foo/sa/bar", ("td2", "td1"), {"exact other/ns/foo/sa/bar"}),
        ("td1/ns/foo/*", ("td2", "td1"), {"prefix td1/ns/foo/"}),
        ("*", ("td2", "td1"), {"regex .+"}),
    ],
)
def test_principals(written, domains, found):
    assert expanded("principals", written, *domains) == found


def test_trust_domains_mean_their_aliases_too():
    assert expanded("trust_domains", "td1", "td2", "td1") == {
        "regex spiffe://td1/.*".replace("spiffe://", ""),
        "regex td2/.*",
    }
    assert expanded("trust_domains", "other", "td2", "td1") == {"regex other/.*"}


def test_namespaces_are_those_of_any_domain():
    assert len(expanded("namespaces", "foo", "td2", "td1")) == 1
