from semafor.base.problem import ObjectRef
from semafor.ir import Origin, OutlierDetection, SimpleBalancer
from semafor.planner.traffic import policy
from semafor.planner.traffic.balancing import Balancing
from semafor.planner.traffic.policy import Policy
from semafor.planner.traffic.security import Security
from semafor.resources.istio.destination_rule import TrafficPolicy
from semafor.resources.istio.load_balancer import LoadBalancerSettings

BASE = Policy(outlier=OutlierDetection(consecutive_5xx=5), security=Security(mode="disable"))


def test_a_subset_inherits_what_it_does_not_say():
    over = Policy(security=Security(mode="istio_mutual"))
    assert policy.merge(BASE, over, 80) == Policy(outlier=BASE.outlier, security=over.security)


def test_settings_of_a_port_do_not_inherit():
    settings = Policy(outlier=OutlierDetection(consecutive_5xx=1))
    assert policy.merge(BASE, Policy(security=Security(), ports=((80, settings),)), 80) == settings


def test_settings_of_another_port_do_not_matter():
    assert policy.merge(BASE, Policy(ports=((81, Policy()),)), 80) == BASE


def test_only_balancers_that_can_warm_instances_up_are_told_to():
    settings = LoadBalancerSettings(simple="RANDOM", warmup_duration_secs="10s")
    origin = Origin(ref=ObjectRef(kind="DestinationRule", name="a"))
    found, problems = policy.read(TrafficPolicy(load_balancer=settings), origin)
    assert found == Policy(balancing=Balancing(balancer=SimpleBalancer(policy="random")))
    assert [problem.path for problem in problems] == ["loadBalancer.warmupDurationSecs"]
