"""The real kubectl against the running mesh: what a user of Kubernetes types, and what they are used to see."""

import os
import re
import urllib.request
from collections.abc import Callable

import pytest
from tests.e2e.machine import Machine
from tests.e2e.terminal import Terminal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120), pytest.mark.parametrize("mesh", ["user"], indirect=True)]

Kubectl = Callable[..., str]
SERVE = ("--image=python:3.11-slim", "--port=8080", "--", "python", "-um", "http.server", "8080")
TALK = """
apiVersion: v1
kind: Pod
metadata: {name: talk, labels: {app: talk}, annotations: {sidecar.istio.io/inject: "false"}}
spec:
  terminationGracePeriodSeconds: 1
  initContainers: [{name: first, image: busybox, command: [sh, -c, echo first]}]
  containers:
  - {name: a, image: busybox, command: [sh, -c, "echo one; echo two; echo three; sleep infinity"]}
  - {name: b, image: busybox, command: [sh, -c, "echo falls; exit 3"]}
"""


@pytest.fixture
def kubectl(mesh: Machine, namespace: str) -> Kubectl:
    """kubectl in the test's namespace; both outputs."""

    def run(*arguments: str, **more) -> str:
        done = mesh.run("kubectl", "-n", namespace, *arguments, **more)
        return done.stdout + done.stderr

    return run


@pytest.fixture
def web(kubectl: Kubectl) -> Kubectl:
    """The same, with a Deployment and a Service `web` that are ready."""
    kubectl("create", "deployment", "web", *SERVE)
    kubectl("expose", "deployment", "web", "--port=80", "--target-port=8080")
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    return kubectl


def test_logs_of_every_container(mesh, kubectl):
    kubectl("apply", "-f", "-", input=TALK)
    mesh.wait("b has failed twice", lambda: "falls" in kubectl("logs", "talk", "-c", "b", "-p", check=False))
    assert kubectl("logs", "talk", "-c", "a", "--tail=2") == "two\nthree\n"
    assert "out of: a, b, first (init)" in kubectl("logs", "talk")
    assert "[pod/talk/first] first\n" in kubectl("logs", "talk", "--all-containers", "--prefix")
    assert re.match(r"\d{4}-\d\d-\d\dT\S+Z one\n", kubectl("logs", "-l", "app=talk", "-c", "a", "--timestamps"))
    assert "Back-off restarting failed container b in pod talk" in kubectl("describe", "pod", "talk")
    assert "CrashLoopBackOff" in kubectl("get", "pod", "talk")


@pytest.mark.parametrize("websockets", ["true", "false"])
def test_commands_files_and_ports_of_a_pod(mesh, namespace, web, websockets, monkeypatch):
    for use in ("REMOTE_COMMAND", "PORT_FORWARD"):
        monkeypatch.setitem(mesh.environment, f"KUBECTL_{use}_WEBSOCKETS", websockets)
    pod = web("get", "pod", "-o", "jsonpath={.items[0].metadata.name}")
    said = web("exec", "-i", "deploy/web", "--", "sh", "-c", "cat; echo wrong >&2; exit 5", input="in\n", check=False)
    assert said == "in\nwrong\ncommand terminated with exit code 5\n"
    content = "\n".join(map(str, range(200_000)))
    os.chown(mesh.write("numbers", content), mesh.user or 0, mesh.user or 0)
    web("cp", "numbers", f"{pod}:/tmp/numbers")
    web("cp", f"{pod}:/tmp/numbers", "again")
    assert (mesh.folder / "again").read_text() == content
    for path in (f"pods/{pod}:8080", "services/web:80"):
        assert "Directory listing" in web("get", "--raw", f"/api/v1/namespaces/{namespace}/{path}/proxy/")
    for target, port in ((f"pod/{pod}", 8080), ("service/web", 80), ("deployment/web", 8080)):
        assert "Directory listing" in _forwarded(mesh, namespace, target, port)


def _forwarded(mesh: Machine, namespace: str, target: str, port: int) -> str:
    with Terminal(mesh, "kubectl", "-n", namespace, "port-forward", target, f":{port}") as terminal:
        address = terminal.until(r"127\.0\.0\.1:\d+")
        with urllib.request.urlopen(f"http://{address}/", timeout=10) as answer:
            content: str = answer.read().decode()
    return content


def test_a_terminal_in_a_pod(mesh, namespace):
    command = ("run", "shell", "--rm", "-it", "--restart=Never", "--image=busybox", "-n", namespace, "--", "sh")
    with Terminal(mesh, "kubectl", *command) as terminal:
        terminal.until("command prompt")
        terminal.type("stty size; tty; exit 4")
        terminal.until(r"30 100\s+/dev/pts/\d+")
        terminal.until('pod "shell" deleted')


def test_a_watch_tells_ages_of_their_moment(mesh, namespace, kubectl):
    with Terminal(mesh, "kubectl", "get", "pods", "-w", "-n", namespace) as terminal:
        kubectl("run", "brief", "--image=busybox", "--restart=Never", "--", "sleep", "3")
        terminal.until("ContainerCreating|Init:")
        terminal.until(r"Completed +0 +([3-9]|1\d)s")


def test_a_rollout_goes_on_back_and_on_again(web):
    web("set", "env", "deployment/web", "COLOUR=red")
    web("rollout", "status", "deployment/web", "--timeout=60s")
    assert "COLOUR:\tred" in web("rollout", "history", "deployment/web", "--revision=2")
    web("rollout", "undo", "deployment/web")
    web("rollout", "pause", "deployment/web")
    web("rollout", "resume", "deployment/web")
    assert "COLOUR" not in web("set", "env", "deployment/web", "--list")
    web("scale", "deployment/web", "--replicas=2", "--current-replicas=1")
    web("wait", "--for=jsonpath={.status.readyReplicas}=2", "deployment/web", "--timeout=60s")
    assert "subresource: scale" in web("get", "deployment", "web", "-o", "yaml", "--show-managed-fields")
    assert "has no effect yet" in web("create", "quota", "few", "--hard=pods=9")


def test_deletions_take_with_them_what_they_should(mesh, namespace, web):
    web("delete", "deployment", "web", "--cascade=orphan")
    assert "1/1" not in web("get", "deployments")
    web("create", "deployment", "web", *SERVE)
    mesh.wait("the pods are adopted", lambda: "1/1" in web("get", "deployment", "web"))
    web("delete", "deployment", "web", "--cascade=foreground")
    assert web("get", "replicasets,pods") == f"No resources found in {namespace} namespace.\n"
    web("create", "configmap", "held")
    web("patch", "configmap", "held", "-p", '{"metadata":{"finalizers":["example.com/hold"]}}')
    web("delete", "configmap", "held", "--wait=false")
    web("patch", "configmap", "held", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    assert "NotFound" in web("get", "configmap", "held", check=False)


WRONG = {
    '{"apiVersion":"v1","kind":"Podd","metadata":{"name":"a"}}': 'no matches for kind "Podd" in version "v1"',
    '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"x"}]}}': (
        'The Pod "a" is invalid: spec.containers[0].image: Required value'
    ),
    '{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"a"},"spec":{"host":["b"]}}': (
        'unknown field "spec.host"'
    ),
}


@pytest.mark.parametrize("document", WRONG)
def test_wrong_documents_are_refused_in_known_words(kubectl, document):
    assert WRONG[document] in kubectl("apply", "-f", "-", input=document, check=False)


def test_a_patch_that_does_not_fit_says_why(kubectl):
    kubectl("create", "configmap", "a")
    said = kubectl("patch", "cm", "a", "--type=json", "-p", '[{"op":"remove","path":"/data/b"}]', check=False)
    assert 'doc is missing path: "/data/b"' in said


def test_an_account_may_do_what_its_role_says(namespace, kubectl):
    kubectl("create", "serviceaccount", "bob")
    kubectl("create", "role", "reader", "--verb=get,list", "--resource=pods")
    kubectl("create", "rolebinding", "bob", "--role=reader", f"--serviceaccount={namespace}:bob")
    bob = f"--as=system:serviceaccount:{namespace}:bob"
    assert kubectl("auth", "can-i", "list", "pods", bob) == "yes\n"
    assert kubectl("auth", "can-i", "delete", "pods", bob, check=False) == "no\n"
    assert "forbidden" in kubectl("get", "secrets", bob, check=False)
    assert kubectl("create", "token", "bob").count(".") == 2


def test_what_is_not_there_is_named(kubectl):
    assert "doesn't have a resource type" in kubectl("get", "nothing", check=False)
    assert "Kubernetes control plane" in kubectl("cluster-info")
    assert "virtualservices" in kubectl("api-resources", "--api-group=networking.istio.io")


def test_a_user_by_certificate_may_do_what_roles_say(mesh, namespace):
    config = str(mesh.folder / "user" / "jane.kubeconfig")
    mesh.semafor("kubeconfig", "--user", "jane", "--group", f"devs-{namespace}", "--out", config)
    as_jane = ("--kubeconfig", config, "-n", namespace)
    assert "cannot list" in mesh.run("kubectl", *as_jane, "get", "pods", check=False).stderr
    mesh.kubectl("create", "rolebinding", "devs", "-n", namespace, "--clusterrole=edit", f"--group=devs-{namespace}")
    mesh.kubectl(*as_jane, "run", "mine", "--image=busybox", "--", "sleep", "infinity")
    mesh.kubectl(*as_jane, "wait", "--for=condition=Ready", "pod/mine", "--timeout=60s")
    assert mesh.kubectl(*as_jane, "exec", "mine", "-c", "mine", "--", "echo", "hello") == "hello\n"
    assert "cannot list" in mesh.run("kubectl", *as_jane[:2], "get", "pods", "-A", check=False).stderr
