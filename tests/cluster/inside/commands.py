"""`semafor install`, `upgrade` and `uninstall` into a real Kubernetes: it has no node, the test says that pods run."""

import json
import os
import subprocess
import sys
import threading

import pytest
from world import SYSTEM

IMAGES = ("--set", "hub=registry.example.com/semafor", "--set", "tag=1")


@pytest.fixture(scope="module")
def running(world):
    """Somebody who tells the API that the pods of the mesh are ready, as kubelets do."""
    ended = threading.Event()

    def tell():
        while not ended.wait(0.5):
            pending = "jsonpath={.items[?(@.status.phase=='Pending')].metadata.name}"
            for name in world.kubectl("get", "pods", "-n", SYSTEM, "-o", pending, check=False).split():
                world.runs(name, SYSTEM)

    telling = threading.Thread(target=tell)
    telling.start()
    yield
    ended.set()
    telling.join()


def semafor(world, *arguments, code=0):
    command = [sys.executable, "-m", "semafor", *arguments, f"--kubeconfig={world.kubernetes.kubeconfig}"]
    home = {"SEMAFOR_HOME": str(world.folder / "home")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200, env={**os.environ, **home})
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def names(world, kind, *more):
    return set(world.kubectl("get", kind, *more, "-o", "jsonpath={.items[*].metadata.name}").split())


def test_what_is_not_ready_is_said(world):
    told = semafor(world, "install", "-y", *IMAGES, "--readiness-timeout=3", code=1)
    assert "not ready after 3 s" in told
    assert "istiod has 0 of" in told


def test_it_is_installed_once_its_pods_are_ready(world, running):
    told = semafor(world, "install", "-y", *IMAGES, "--set", "profile=minimal")
    assert "istiod installed" in told
    assert names(world, "deploy", "-n", SYSTEM) == {"istiod"}
    assert "registry.example.com/semafor/pilot:1" in world.kubectl(
        "get", "deploy", "istiod", "-n", SYSTEM, "-o", "yaml"
    )


def test_an_upgrade_keeps_what_is_installed_and_what_others_have_written(world, running):
    patch = '{"webhooks":[{"name":"rev.validation.istio.io","clientConfig":{"caBundle":"YQ=="}}]}'
    world.kubectl("patch", "validatingwebhookconfiguration", f"istio-validator-{SYSTEM}", "-p", patch)
    # Its pods wait for injection, and nobody answers at the Service: no node is there to lead to it.
    told = semafor(world, "upgrade", "-y", "--set", "profile=default", "--readiness-timeout=10", code=1)
    assert "istio-ingressgateway has 0 of 1 pods ready" in told
    assert "sidecar-injector.istio.io" in told
    semafor(world, "upgrade", "-y", "--set", "profile=minimal")
    assert names(world, "deploy", "-n", SYSTEM) == {"istiod"}
    assert "pilot:1" in world.kubectl("get", "deploy", "istiod", "-n", SYSTEM, "-o", "yaml")
    told = world.kubectl("get", "validatingwebhookconfiguration", f"istio-validator-{SYSTEM}", "-o", "yaml")
    assert "caBundle: YQ==" in told


def test_a_revision_is_beside_it_and_goes_alone(world, running):
    semafor(world, "install", "-y", *IMAGES, "--revision", "canary")
    assert names(world, "deploy", "-n", SYSTEM) == {"istiod", "istiod-canary"}
    assert "Deployment istiod-canary is gone" in semafor(world, "uninstall", "-y", "--revision", "canary")
    assert names(world, "deploy", "-n", SYSTEM) == {"istiod"}


def test_who_may_not_install_is_told_what_is_missing(world):
    world.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "guest", "namespace": "default"}})
    token = world.kubectl("create", "token", "guest")
    config = json.loads(world.kubectl("config", "view", "--raw", "-o", "json"))
    config["users"][0]["user"] = {"token": token}
    file = world.folder / "guest.kubeconfig"
    file.touch(mode=0o600)
    file.write_text(json.dumps(config))
    command = [sys.executable, "-m", "semafor", "install", "-y", f"--kubeconfig={file}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "forbidden" in done.stderr
    assert "administrator" in done.stderr


def test_every_object_passes_a_dry_run_of_the_server(world):
    for more in ((), ("--set", "profile=demo"), ("--revision", "canary"), ("--set", "profile=minimal")):
        command = [sys.executable, "-m", "semafor", "manifest", "generate", "--home", "cluster", *more]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        told = world.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", text=text)
        assert told.count("server dry run") == text.count("\n---\n") + text.startswith("---")


def test_the_server_explains_the_kinds(world):
    assert "timeout" in world.kubectl("explain", "virtualservice.spec.http")


def test_what_is_left_in_the_end_are_definitions(world, running):
    semafor(world, "uninstall", "--purge", "-y")
    assert names(world, "deploy", "-n", SYSTEM) == set()
    assert "virtualservices.networking.istio.io" in names(world, "crd")
    assert "is installed" in semafor(world, "uninstall", "--purge", "-y", code=1)
