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


def test_defaults_and_services_of_the_cluster_alone_are_not():
    assert told(type="NodePort", externalTrafficPolicy="Cluster", sessionAffinity="None") == []
    assert told(type="ClusterIP", externalTrafficPolicy="Local") == []
