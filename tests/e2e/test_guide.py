"""A guide for beginners, typed as it stands. Where its files are not at hand, these tests skip."""

import json
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.machine import ROOT, Machine
from tests.e2e.terminal import Terminal
from tests.e2e.test_traces import enough

FILES = ROOT.parent / "shared" / "guide"
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(240),
    pytest.mark.parametrize("mesh", ["user"], indirect=True),
    pytest.mark.skipif(not FILES.is_dir(), reason="the guide's files are not here"),
]

COUNT = """
for i in $(seq {count}); do echo http://service-1/; done |
xargs -n 400 curl -s {options} | grep -o '"version":"[0-9.]*"' | sort | uniq -c
"""


class Guide:
    """The guide's folder on a user's machine, and what the user types there."""

    def __init__(self, mesh: Machine, folder: Path) -> None:
        self.mesh = mesh
        self.folder = folder

    def apply(self, name: str, *arguments: str, verb: str = "apply") -> str:
        """What kubectl says of a file, its warnings included."""
        done = self.mesh.run("kubectl", verb, "-f", str(self.folder / name), *arguments)
        return done.stdout + done.stderr

    def deploy(self, name: str) -> None:
        self.mesh.semafor("build", "-t", f"{name}:latest", str(self.folder / name))
        self.apply(f"{name}/deployment.yaml")
        self.mesh.kubectl("rollout", "status", f"deployment/{name}", "--timeout=60s")

    def versions(self, count: int, options: str = "") -> tuple[int, int]:
        """How many answers came from the first and from the second version."""
        inside = ("exec", "-i", "caller", "-c", "caller", "--", "sh")
        printed = self.mesh.run("kubectl", *inside, input=COUNT.format(count=count, options=options)).stdout
        found = {version.split('"')[3]: int(number) for number, version in map(str.split, printed.splitlines())}
        return found.get("1.0.0", 0), found.get("2.0.0", 0)


@pytest.fixture(scope="module")
def guide(mesh: Machine) -> Iterator[Guide]:
    """The guide after its third step, with a pod to call from."""
    folder = mesh.folder / "guide"
    shutil.copytree(FILES, folder)
    made = Guide(mesh, folder)
    mesh.kubectl("label", "namespace", "default", "istio-injection=enabled", "--overwrite")
    made.deploy("service-1")
    made.deploy("service-2")
    mesh.kubectl("run", "caller", "--image", "curlimages/curl", "--command", "--", "sleep", "infinity")
    mesh.kubectl("wait", "--for=condition=Ready", "pod/caller", "--timeout=60s")
    yield made
    everything = "deployments,pods,vs,dr,peerauthentications,telemetries,prometheusrules,istiooperators,httproutegroups"
    mesh.kubectl("delete", everything, "--all", "--grace-period=1", "--wait=false")
    mesh.kubectl("delete", "service", "service-1", "service-2")
    mesh.kubectl("delete", "namespace", "production", "staging", "--ignore-not-found", "--wait=false")
    mesh.kubectl("label", "namespace", "default", "istio-injection-")


def test_the_mesh_is_installed_already(guide):
    said = guide.mesh.semafor("install", "--set", "profile=demo", "-y").stdout
    assert "installed already" in said
    pods = guide.mesh.kubectl("get", "pods", "-n", "istio-system", "--no-headers").splitlines()
    assert [line.split()[1:3] for line in pods] == [["1/1", "Running"]] * 3


def test_both_services_run_with_their_sidecars(guide):
    pods = guide.mesh.kubectl("get", "pods", "-l", "app in (service-1, service-2)", "--no-headers").splitlines()
    assert [line.split()[1:3] for line in pods] == [["2/2", "Running"]] * 3
    assert "GET /health" in guide.mesh.kubectl("logs", "-l", "app=service-1")
    described = guide.mesh.kubectl("describe", "pod", "-l", "app=service-1")
    assert "http-get http://:8080/health delay=5s timeout=1s period=10s" in described


def test_a_shell_in_a_terminal_calls_the_second_service(guide):
    command = "kubectl run test-$RANDOM --rm -i --tty --image curlimages/curl -- sh"
    with Terminal(guide.mesh, "bash", "-c", command) as terminal:
        terminal.until("command prompt")
        terminal.type("curl -s http://service-2/call-service-1 > /tmp/a; grep -c success /tmp/a && cat /tmp/a")
        answer = json.loads(terminal.until(r'\{"caller.*\}'))
        terminal.type("exit")
        terminal.until("deleted")
    assert (answer["status"], answer["response"]["service"]) == ("success", "service-1")
    assert answer["latency_ms"] > 0


def test_a_request_is_one_trace_through_services_that_do_nothing_for_it(guide):
    request_id = str(uuid.uuid4())
    call = ("curl", "-sS", "-H", f"X-Request-ID: {request_id}", "http://service-2/call-service-1")
    guide.mesh.kubectl("exec", "caller", "-c", "caller", "--", *call)
    wanted = [("caller", "client"), ("service-1", "server"), ("service-2", "client"), ("service-2", "server")]
    assert sorted(guide.mesh.wait("the whole trace", lambda: enough(guide.mesh, request_id, 4))) == wanted


def test_traffic_follows_the_rules(guide):
    guide.deploy("service-1-v2")
    assert "Warning" not in guide.apply("routing/rules.yaml")
    guide.mesh.kubectl("wait", "--for=condition=Live", "virtualservice/service-1", "--timeout=60s")
    first, second = guide.versions(2000)
    assert first + second == 2000
    assert 160 <= second <= 240
    assert "VirtualService default/service-1 spec.http[0]" in guide.apply("routing/advanced-rules.yaml")
    guide.mesh.kubectl("wait", "--for=condition=Live", "virtualservice/service-1-advanced", "--timeout=60s")
    assert guide.versions(100, "-A 'curl on an iPhone'") == (0, 100)
    assert 115 <= guide.versions(300, "-H x-test-user:true")[1] <= 185
    assert 3 <= guide.versions(400)[1] <= 38


def test_the_sidecars_statistics_show_handshakes(guide):
    guide.versions(1)
    pod = guide.mesh.kubectl("get", "pod", "-l", "app=service-1", "-o", "jsonpath={.items[0].metadata.name}")
    asked = ("exec", pod, "-c", "istio-proxy", "--", "pilot-agent", "request", "GET", "/stats")
    assert "ssl.versions.TLSv1.3" in guide.mesh.kubectl(*asked)


def test_strict_refuses_plain_text_and_permissive_takes_it(guide):
    outside = ("run", "outside", "--image", "curlimages/curl", "--labels", "sidecar.istio.io/inject=false")
    guide.mesh.kubectl(*outside, "--command", "--", "sleep", "infinity")
    guide.mesh.kubectl("wait", "--for=condition=Ready", "pod/outside", "--timeout=60s")
    call = ("kubectl", "exec", "outside", "--", "curl", "-sS", "-m", "5", "http://service-1/")
    assert '"service":"service-1"' in guide.mesh.run(*call).stdout
    guide.apply("security/mtls.yaml")
    guide.mesh.kubectl("wait", "--for=condition=Live", "peerauthentication/default", "--timeout=60s")
    refused = guide.mesh.run(*call, check=False)
    assert refused.returncode in (52, 56), refused.stderr  # curl: an empty reply, or the connection was reset
    assert sum(guide.versions(20)) == 20
    guide.apply("security/permissive-mtls.yaml")
    guide.mesh.kubectl("wait", "--for=condition=Live", "peerauthentication/service-1-policy", "--timeout=60s")
    assert '"service":"service-1"' in guide.mesh.run(*call).stdout


def test_its_alerts_are_watched(guide):
    assert "Warning" not in guide.apply("monitoring/alerts.yaml")


def test_the_group_of_routes_waits_for_somebody_to_refer_to_it(guide):
    assert "no TrafficSplit and no TrafficTarget refers to it" in guide.apply("smi/http-route-group.yaml")
    guide.mesh.kubectl("wait", "--for=condition=Live", "httproutegroup/service-1-routes", "--timeout=60s")


def test_a_mistake_of_the_guide_is_taken_as_meant(guide):
    said = guide.apply("observability/metrics.yaml", "--dry-run=server", verb="create")
    assert '"SERVER_AND_CLIENT" is not a known value; taken as "CLIENT_AND_SERVER"' in said


def test_an_operator_without_a_name_is_created(guide):
    said = guide.apply("best-practices/gradual-adoption.yaml", verb="create")
    assert "istiooperator.install.istio.io/installed-state created" in said
    assert "spec.components.egressGateway: is taken as an element of egressGateways" in said


@pytest.mark.parametrize("name", ["production", "staging"])
def test_overlays_are_applied(guide, name):
    guide.mesh.kubectl("apply", "-k", str(guide.folder / "istio-config" / "overlays" / name))
    [policy] = guide.mesh.get("peerauthentications", "-n", name)["items"]
    assert policy["spec"]["mtls"]["mode"] == {"production": "STRICT", "staging": "PERMISSIVE"}[name]


def test_a_later_rule_names_what_it_overrides(guide):
    said = guide.apply("resilience/circuit-breaker.yaml") + guide.apply("resilience/retry-timeout.yaml")
    assert "VirtualService default/service-1 " in said
    assert guide.versions(10) != (0, 0)
