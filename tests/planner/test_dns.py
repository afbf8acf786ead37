"""Which hosts the mesh's DNS knows beside those of the cluster, for whom."""

from tests.golden import cases

from semafor.base.problem import ObjectRef
from semafor.planner import Mesh, dns

CALLERS = """
apiVersion: v1
kind: Pod
metadata: {name: caller}
spec: {containers: [{name: main, image: main}]}
status: {podIP: 10.244.0.90}
---
apiVersion: v1
kind: Pod
metadata: {name: caller, namespace: shop}
spec: {containers: [{name: main, image: main}]}
status: {podIP: 10.244.0.91}
"""
OWN, SHOP = "10.244.0.90", "10.244.0.91"


def mesh(area: str, tmp_path) -> Mesh:
    (tmp_path / "callers.yaml").write_text(CALLERS)
    paths = (cases.BASE, cases.ROOT / "service-entry" / area / "in.yaml", tmp_path / "callers.yaml")
    return Mesh.of([cases.decoded(each) for path in paths for each in cases.documents(path)])


def test_a_host_has_its_virtual_address_for_those_who_see_it(tmp_path):
    outside = mesh("outside", tmp_path)
    asked = [dns.addresses(outside, caller, "warehouse") for caller in (OWN, SHOP)]
    assert asked == [(), (outside.service("warehouse", "shop").address,)]


def test_a_wildcard_answers_for_the_names_below_it(tmp_path):
    wild = mesh("wildcards", tmp_path)
    names = ("a.addressed.example.com", "a.b.addressed.example.com", "addressed.example.com", "b.wild.example.com")
    assert [dns.addresses(wild, OWN, name) for name in names] == [("192.0.2.77",), ("192.0.2.77",), (), ()]


def test_a_host_with_an_address_of_the_mesh_is_told_with_it(tmp_path):
    outside = mesh("outside", tmp_path)
    ref = ObjectRef(kind="ServiceEntry", namespace="default", name="api", group="networking.istio.io")
    assert dns.allocated(outside, ref) == (("api.example.com", dns.addresses(outside, OWN, "api.example.com")[0]),)
    plain = ObjectRef(kind="ServiceEntry", namespace="default", name="plain", group="networking.istio.io")
    assert dns.allocated(outside, plain) == ()


def test_strangers_and_services_of_the_cluster_are_not_answered(tmp_path):
    outside = mesh("outside", tmp_path)
    assert dns.addresses(outside, "10.244.9.9", "api.example.com") == ()
    assert dns.addresses(outside, OWN, "tools.default.svc.cluster.local") == ()
