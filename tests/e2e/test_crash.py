"""Whatever ends the daemon, nothing is left running, and the next start goes on where it was."""

import json
import os
import signal
from pathlib import Path

import pytest
from tests.e2e.machine import Machine
from tests.e2e.test_first_steps import ECHO, SERVICE, SPLIT

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


def kill_daemon(machine: Machine) -> None:
    os.kill(int((machine.home / "daemon.lock").read_text()), signal.SIGKILL)


def mounts_of(machine: Machine) -> list[str]:
    return [line for line in Path("/proc/mounts").read_text().splitlines() if str(machine.home) in line]


def test_a_killed_daemon_leaves_nothing_and_the_next_one_goes_on(alone):
    alone.semafor("up")
    alone.kubectl("label", "namespace", "default", "istio-injection=enabled")
    alone.apply("---".join((SERVICE, ECHO.format(version="v1"), ECHO.format(version="v2"), SPLIT)))
    alone.kubectl("wait", "--for=condition=Available", "deployment", "--all", "--timeout=60s")
    kill_daemon(alone)
    alone.wait("all processes have ended", lambda: not alone.processes(), timeout_s=30)
    assert mounts_of(alone) == []

    alone.semafor("up")
    kept = {each["metadata"]["name"] for each in alone.get("virtualservices")["items"]}
    assert kept == {"echo"}
    alone.kubectl("wait", "--for=condition=Ready", "pod", "-l", "app=echo", "--timeout=60s")
    pods = alone.get("pods", "-l", "app=echo")["items"]
    restarts = [status["restartCount"] for pod in pods for status in pod["status"]["containerStatuses"]]
    assert restarts == [1, 1]
    alone.kubectl("wait", "--for=condition=Live", "virtualservice/echo", "--timeout=60s")


def test_an_acknowledged_object_survives(alone):
    alone.semafor("up")
    for number in range(5):
        alone.kubectl("create", "configmap", f"kept-{number}", "--from-literal=a=b")
    kill_daemon(alone)
    alone.semafor("up")
    names = {each["metadata"]["name"] for each in alone.get("configmaps")["items"]}
    assert names >= {f"kept-{number}" for number in range(5)}


def test_down_leaves_nothing(alone):
    alone.semafor("up")
    contexts = alone.kubectl("config", "get-contexts", "-o", "name").split()
    alone.semafor("down", "--purge")
    assert len(contexts) == 1
    assert alone.kubectl("config", "get-contexts", "-o", "name").split() == []
    assert alone.processes() == []
    assert mounts_of(alone) == []
    assert not alone.home.exists()


def test_up_twice_finds_the_first(alone):
    first = alone.semafor("up", "-o", "json")
    second = alone.semafor("up", "-o", "json")
    assert '"found": false' in first.stdout
    assert '"found": true' in second.stdout


def test_the_mesh_outlives_a_killed_command_and_comes_back_after_one_that_stops_it(alone):
    asked = alone.begin("up", start_new_session=True)
    alone.wait("the daemon is on its way", (alone.home / "daemon.lock").exists)
    asked.kill()
    asked.wait()
    alone.wait("it is ready", (alone.home / "state.json").exists)
    assert json.loads(alone.semafor("up", "-o", "json").stdout)["found"]

    stopping = alone.begin("down")
    alone.wait("it is stopping", lambda: not (alone.home / "state.json").exists())
    assert not json.loads(alone.semafor("up", "-o", "json").stdout)["found"]
    assert stopping.wait(30) == 0
    alone.kubectl("get", "nodes")


def test_what_is_damaged_is_named_and_nothing_else_is_touched(alone):
    alone.semafor("up")
    alone.kubectl("create", "configmap", "kept", "--from-literal=a=b")
    state = alone.home / "state.json"
    state.write_text("{")
    for command in ("up", "status", "dashboard"):
        refused = alone.semafor(command, check=False)
        assert (refused.returncode, "state.json is not what" in refused.stderr) == (1, True)
    alone.semafor("down")
    assert alone.processes() == []

    for name, damage in (("store.db", b"no database"), ("ca/authorities.json", b'{"phase": "ste')):
        file = alone.home / name
        whole = file.read_bytes()
        file.write_bytes(damage)
        refused = alone.semafor("up", check=False)
        assert (refused.returncode, str(file) in refused.stderr, "Traceback" in refused.stderr) == (1, True, False)
        file.write_bytes(whole)
    alone.semafor("up")
    alone.kubectl("get", "configmap", "kept")
