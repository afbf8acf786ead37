"""Names of the cluster, as the specification of Kubernetes' DNS has them."""

from typing import Any

import pytest

from semafor.kube.node.zone import Found, Record, Zone


def service(name: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "shop"}, "spec": spec}


def slice_of(name: str, *endpoints: dict[str, Any]) -> dict[str, Any]:
    labels = {"kubernetes.io/service-name": name}
    ports = [{"name": "http", "port": 8080, "protocol": "TCP"}]
    return {
        "metadata": {"name": f"{name}-x", "namespace": "shop", "labels": labels},
        "endpoints": list(endpoints),
        "ports": ports,
    }


def endpoint(address: str, *, ready: bool = True, hostname: str = "") -> dict[str, Any]:
    return {"addresses": [address], "conditions": {"ready": ready}, **({"hostname": hostname} if hostname else {})}


def zone() -> Zone:
    made = Zone("10.244.0.0/16", "10.96.0.0/16")
    web = service("web", clusterIP="10.96.0.7", clusterIPs=["10.96.0.7"], ports=[{"name": "http", "port": 80}])
    made.put_service(web)
    made.put_service(service("db", clusterIP="None"))
    named, plain = endpoint("10.244.0.5", hostname="db-0"), endpoint("10.244.0.6")
    made.put_slice(slice_of("db", named, plain, endpoint("10.244.0.9", ready=False)))
    made.put_service(service("late", clusterIP="None"))
    made.put_slice(slice_of("late", endpoint("10.244.0.8", ready=False)))
    made.put_service(service("early", clusterIP="None", publishNotReadyAddresses=True))
    made.put_slice(slice_of("early", endpoint("10.244.0.8", ready=False)))
    made.put_service(service("out", type="ExternalName", externalName="example.org."))
    return made


def records(kind: Any, *data: str) -> Found:
    return Found(records=tuple(Record(type=kind, data=text) for text in data))


NAMES: list[tuple[str, Found | None]] = [
    ("web.shop.svc.cluster.local", records("A", "10.96.0.7")),
    ("nobody.shop.svc.cluster.local", None),
    ("x.web.shop.svc.cluster.local", None),
    ("db.shop.svc.cluster.local", records("A", "10.244.0.5", "10.244.0.6")),
    ("db-0.db.shop.svc.cluster.local", records("A", "10.244.0.5")),
    ("10-244-0-6.db.shop.svc.cluster.local", records("A", "10.244.0.6")),
    ("10-244-0-9.db.shop.svc.cluster.local", None),
    ("late.shop.svc.cluster.local", None),
    ("early.shop.svc.cluster.local", records("A", "10.244.0.8")),
    ("out.shop.svc.cluster.local", records("CNAME", "example.org")),
    ("_http._tcp.web.shop.svc.cluster.local", records("SRV", "80 web.shop.svc.cluster.local")),
    ("_tcp.web.shop.svc.cluster.local", Found()),
    ("_https._tcp.web.shop.svc.cluster.local", None),
    (
        "_http._tcp.db.shop.svc.cluster.local",
        records("SRV", "8080 db-0.db.shop.svc.cluster.local", "8080 10-244-0-6.db.shop.svc.cluster.local"),
    ),
    ("10-1-2-3.shop.pod.cluster.local", records("A", "10.1.2.3")),
    ("x.shop.pod.cluster.local", None),
    ("shop.svc.cluster.local", Found()),
    ("nowhere.svc.cluster.local", None),
    ("svc.cluster.local", Found()),
    ("cluster.local", Found()),
    ("web.cluster.local", None),
    ("7.0.96.10.in-addr.arpa", records("PTR", "web.shop.svc.cluster.local")),
    ("5.0.244.10.in-addr.arpa", records("PTR", "db-0.db.shop.svc.cluster.local")),
    ("99.0.244.10.in-addr.arpa", None),
    ("dns-version.cluster.local", records("TXT", "1.1.0")),
]


@pytest.mark.parametrize(("name", "found"), NAMES, ids=[name for name, _ in NAMES])
def test_name(name: str, found: Found | None) -> None:
    assert zone().find(name) == found


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("web.shop.svc.cluster.local", True),
        ("example.org", False),
        ("xcluster.local", False),
        ("7.0.96.10.in-addr.arpa", True),
        ("1.1.168.192.in-addr.arpa", False),
        ("x.in-addr.arpa", False),
    ],
)
def test_the_zone_knows_what_is_its_own(name: str, own: bool) -> None:
    assert zone().is_authoritative(name) is own


def test_a_removed_service_has_no_name_and_no_address_any_more() -> None:
    made = zone()
    made.remove_service(service("web"))
    assert (made.find("web.shop.svc.cluster.local"), made.find("7.0.96.10.in-addr.arpa")) == (None, None)


def test_a_changed_service_answers_with_its_new_address() -> None:
    made = zone()
    made.put_service(service("web", clusterIP="10.96.0.8", clusterIPs=["10.96.0.8"]))
    assert made.find("web.shop.svc.cluster.local") == records("A", "10.96.0.8")
    assert made.find("7.0.96.10.in-addr.arpa") is None
