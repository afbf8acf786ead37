from semafor.ir import OutlierDetection
from semafor.planner import policy
from semafor.planner.policy import Policy, Security

BASE = Policy(outlier=OutlierDetection(consecutive_5xx=5), security=Security(mode="disable"))


def test_a_subset_inherits_what_it_does_not_say():
    over = Policy(security=Security(mode="istio_mutual"))
    assert policy.merge(BASE, over, 80) == Policy(outlier=BASE.outlier, security=over.security)


def test_settings_of_a_port_do_not_inherit():
    settings = Policy(outlier=OutlierDetection(consecutive_5xx=1))
    assert policy.merge(BASE, Policy(security=Security(), ports=((80, settings),)), 80) == settings


def test_settings_of_another_port_do_not_matter():
    assert policy.merge(BASE, Policy(ports=((81, Policy()),)), 80) == BASE
