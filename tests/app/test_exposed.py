from semafor.app import exposed


def told(**spec) -> list[str]:
    metadata = {"name": "web", "namespace": "default"}
    return [problem.path for problem in exposed.problems({"metadata": metadata, "spec": spec})]


def test_what_has_no_effect_on_one_machine_is_named():
    spec = {"externalTrafficPolicy": "Local", "loadBalancerSourceRanges": ["10.0.0.0/8"], "sessionAffinity": "ClientIP"}
    ports = [{"port": 80}, {"port": 53, "protocol": "UDP"}, {"port": 7, "protocol": "SCTP"}]
    assert told(type="LoadBalancer", ports=ports, **spec) == [
        "spec.externalTrafficPolicy",
        "spec.loadBalancerSourceRanges",
        "spec.sessionAffinity",
        "spec.ports[2].protocol",
    ]


def test_ports_that_the_proxies_need_are_named_where_callers_would_meet_them():
    ports = [{"port": 15001, "name": "http"}, {"port": 15021, "name": "status"}, {"port": 15006, "protocol": "UDP"}]
    assert told(type="ClusterIP", ports=ports) == ["spec.ports[0].port"]


def test_defaults_and_services_of_the_cluster_alone_are_not():
    assert told(type="NodePort", externalTrafficPolicy="Cluster", sessionAffinity="None") == []
    assert told(type="ClusterIP", externalTrafficPolicy="Local") == []
