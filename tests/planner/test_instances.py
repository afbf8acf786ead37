from semafor.planner.services import instances
from semafor.planner.services.instances import Address, Pod, Slice


def _address(ip, *, ready=True, leaving=False, pod=("", "")):
    return Address(ip=ip, ports=(("http", 80),), pod=pod, ready=ready, leaving=leaving, hostname="", zone="")


def _ips(*addresses):
    return [found.ip for found in instances.of((Slice(service=("ns", "s"), addresses=addresses),), {})]


def test_only_ready_addresses_are_called():
    assert _ips(_address("10.0.0.2"), _address("10.0.0.1"), _address("10.0.0.3", ready=False)) == [
        "10.0.0.1",
        "10.0.0.2",
    ]


def test_leaving_pods_are_called_while_there_is_no_other():
    assert _ips(_address("10.0.0.1", ready=False, leaving=True), _address("10.0.0.2", ready=False)) == ["10.0.0.1"]


def test_leaving_pods_are_not_called_when_another_is_ready():
    assert _ips(_address("10.0.0.1", ready=False, leaving=True), _address("10.0.0.2")) == ["10.0.0.2"]


def test_an_address_in_two_slices_counts_once():
    assert _ips(_address("10.0.0.1"), _address("10.0.0.1")) == ["10.0.0.1"]


def test_only_pods_with_a_sidecar_have_an_identity():
    pods = {
        ("ns", "in"): Pod(labels=(), service_account="robot", in_mesh=True),
        ("ns", "out"): Pod(labels=(), service_account="robot", in_mesh=False),
    }
    addresses = (_address("10.0.0.1", pod=("ns", "in")), _address("10.0.0.2", pod=("ns", "out")))
    found = instances.of((Slice(service=("ns", "s"), addresses=addresses),), pods)
    assert instances.identities(found, ("td",)) == ("spiffe://td/ns/ns/sa/robot",)
