"""Two pods with sidecars, a control plane, and a real API server between them."""

import json
import sys
from pathlib import Path

import pytest
from world import until

from semafor.app.cluster import redirect
from semafor.kube.node.spec import Interception

APP = Path(__file__).with_name("app.py")


@pytest.fixture(scope="module")
def mesh(world):
    """`web` answers, `client` asks; returns the address of web's Service."""
    strict = {
        "apiVersion": "security.istio.io/v1",
        "kind": "PeerAuthentication",
        "metadata": {"name": "default", "namespace": "istio-system"},
        "spec": {"mtls": {"mode": "STRICT"}},
    }
    world.apply(strict)
    world.first = world.replica().wait()
    for name in ("web", "client"):
        pod = world.pod(name)
        pod.start(sys.executable, str(APP), name, "9080", log=world.folder / f"{name}.log")
        wanted = Interception(proxy_uid=1337, dns_port=0)
        done = pod.run(sys.executable, "-m", "semafor.app.cluster.redirect", redirect.arguments(wanted))
        assert done.returncode == 0, done.stderr
    address = world.service("web", 9080)
    for name in ("web", "client"):
        world.agent(name, world.first)
        until(lambda name=name: ready(world, name), f"the proxy of {name} is not ready", 90)
    return address


def ready(world, name):
    done = world.pods[name].run(
        "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://127.0.0.1:15021/healthz/ready"
    )
    return done.stdout == "200"


def ask(world, address, *more):
    done = world.pods["client"].run(
        "curl", "-s", "-m", "10", *more, f"http://{address}:9080/hello", "-H", "Host: web:9080"
    )
    return json.loads(done.stdout)


def test_a_request_goes_through_both_sidecars_with_mutual_tls(world, mesh):
    answer = ask(world, mesh)
    assert answer["app"] == "web"
    assert "URI=spiffe://cluster.local/ns/default/sa/client" in answer["headers"]["x-forwarded-client-cert"]


def test_who_has_no_certificate_is_refused(world, mesh):
    import subprocess

    done = subprocess.run(
        ["curl", "-s", "-m", "10", f"http://{world.pods['web'].ip}:9080/"], capture_output=True, check=False
    )
    assert done.returncode != 0


def test_a_rule_is_live_and_says_so(world, mesh):
    rule = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"hosts": ["web"], "http": [{"headers": {"request": {"set": {"x-rule": "yes"}}},
                                             "route": [{"destination": {"host": "web"}}]}]},
    }  # fmt: skip
    world.apply(rule)
    until(lambda: ask(world, mesh)["headers"].get("x-rule") == "yes", "the rule has no effect")


def test_a_restart_of_the_control_plane_costs_no_request(world, mesh):
    world.first.kill()
    for _ in range(20):
        assert ask(world, mesh)["app"] == "web"
    old = world.first.ports
    world.first = world.replica(**{"xds-port": str(old["xds"]), "https-port": str(old["https"])}).wait()
    for _ in range(20):
        assert ask(world, mesh)["app"] == "web"
