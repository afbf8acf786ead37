from semafor import ir
from semafor.base.problem import ObjectRef


def test_equal_plans_are_equal_values():
    def plan():
        return ir.Plan(proxy="p", clusters=(ir.Cluster(name="c", tls=ir.UpstreamTls(sans=("a",))),))

    assert (plan(), hash(plan())) == (plan(), hash(plan()))


def test_an_origin_reads_as_a_place():
    ref = ObjectRef(kind="VirtualService", namespace="default", name="reviews")
    assert str(ir.Origin(ref=ref, path="spec.http[0]")) == "VirtualService default/reviews spec.http[0]"


def test_a_match_without_conditions_takes_everything():
    slash = ir.RouteMatch(path=ir.PathMatch(value="/"))
    narrow = ir.RouteMatch(path=ir.PathMatch(value="/a"))
    assert [slash.is_catch_all, narrow.is_catch_all] == [True, False]


def test_an_endpoint_set_lists_the_endpoints_of_all_localities():
    one, other = ir.Endpoint(address="10.0.0.1", port=1), ir.Endpoint(address="10.0.0.2", port=1)
    groups = (ir.LocalityEndpoints(endpoints=(one,)), ir.LocalityEndpoints(endpoints=(other,)))
    assert ir.EndpointSet(cluster="c", localities=groups).endpoints == (one, other)
