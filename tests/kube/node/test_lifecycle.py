"""The lives of pods as tables: what the node does, second by second, and what the API shows."""

from typing import Any

import pytest
from tests.kube.node.simulation import START, Life, World, pod

from semafor.kube.node import observed

HTTP = {"httpGet": {"port": 8080}}
APP = {"name": "app", "image": "app"}
SIDECAR = {"name": "proxy", "image": "proxy", "restartPolicy": "Always", "startupProbe": HTTP}
SETUP = {"name": "setup", "image": "setup"}
CRASHES = [Life(1, 1)]


def test_a_plain_pod_starts_and_is_ready_at_once() -> None:
    world = World(pod()).run(1)
    assert (world.log, world.status["phase"], world.condition("Ready")) == (
        ["0 sandbox", "0 start app"],
        "Running",
        "True",
    )


LIVES: list[tuple[str, World, float, list[str], str, dict[str, str]]] = [
    (
        "init containers run in order, each to its end",
        World(
            pod(APP, inits=(SETUP, {"name": "more", "image": "x"})),
            {"setup": [Life(2)], "more": [Life(3)]},
        ),
        10,
        ["0 sandbox", "0 start setup", "2 start more", "5 start app"],
        "Running",
        {"setup": "Completed", "more": "Completed", "app": "running"},
    ),
    (
        "a failing init container is tried again with back-off while the app waits",
        World(pod(APP, inits=(SETUP,)), {"setup": [Life(1, 2)]}),
        5,
        ["0 sandbox", "0 start setup", "1 start setup", "2 back-off setup"],
        "Pending",
        {"setup": "CrashLoopBackOff", "app": "PodInitializing"},
    ),
    (
        "a failing init container of a pod that never restarts fails the pod",
        World(pod(APP, inits=(SETUP,), restartPolicy="Never"), {"setup": [Life(1, 2)]}),
        5,
        ["0 sandbox", "0 start setup", "1 remove"],
        "Failed",
        {"setup": "Error", "app": "PodInitializing"},
    ),
    (
        "a crashing app restarts at once, then after 10, 20, 40 s",
        World(pod(), {"app": CRASHES}),
        80,
        [
            "0 sandbox",
            "0 start app",
            "1 start app",
            "2 back-off app",
            "12 start app",
            "13 back-off app",
            "33 start app",
            "34 back-off app",
            "74 start app",
            "75 back-off app",
        ],
        "Running",
        {"app": "CrashLoopBackOff"},
    ),
    (
        "a run of more than ten minutes forgets the back-off",
        World(pod(), {"app": [Life(1, 1), Life(1, 1), Life(601, 1), Life()]}),
        620,
        ["0 sandbox", "0 start app", "1 start app", "2 back-off app", "12 start app", "613 start app"],
        "Running",
        {"app": "running"},
    ),
    (
        "an app that ends well with OnFailure completes the pod",
        World(pod(restartPolicy="OnFailure"), {"app": [Life(1, 1), Life(3, 0)]}),
        10,
        ["0 sandbox", "0 start app", "1 start app", "4 remove"],
        "Succeeded",
        {"app": "Completed"},
    ),
    (
        "a failing app with Never fails the pod",
        World(pod(restartPolicy="Never"), {"app": CRASHES}),
        10,
        ["0 sandbox", "0 start app", "1 remove"],
        "Failed",
        {"app": "Error"},
    ),
    (
        "a sidecar does not keep a job's pod from completing",
        World(pod(APP, inits=(SIDECAR,), restartPolicy="Never"), {"app": [Life(3)]}),
        10,
        [
            "0 sandbox",
            "0 start proxy",
            "0 start app",
            "3 end proxy: Stopping container proxy",
            "3 SIGTERM proxy",
            "3 remove",
        ],
        "Succeeded",
        {"proxy": "Error", "app": "Completed"},
    ),
    (
        "a crashed sidecar restarts while the app goes on",
        World(pod(APP, inits=(SIDECAR,)), {"proxy": [Life(5, 1), Life()]}),
        10,
        ["0 sandbox", "0 start proxy", "0 start app", "5 start proxy"],
        "Running",
        {"proxy": "running", "app": "running"},
    ),
    (
        "a pod past its active deadline fails",
        World(pod(activeDeadlineSeconds=5)),
        10,
        ["0 sandbox", "0 start app", "5 end app: Stopping container app", "5 SIGTERM app", "5 remove"],
        "Failed",
        {"app": "Error"},
    ),
]


@pytest.mark.parametrize(("world", "seconds", "log", "phase", "states"), [case[1:] for case in LIVES], ids=lambda v: "")
def test_life(world: World, seconds: float, log: list[str], phase: str, states: dict[str, str]) -> None:
    world.run(seconds)
    assert (world.log, world.status["phase"], world.states) == (log, phase, states)


def test_the_app_waits_for_the_sidecars_startup_probe() -> None:
    world = World(pod(APP, inits=(SIDECAR,)))
    world.probes["proxy", "startup"] = lambda t: t > 2
    world.run(1)
    before = (world.states, world.status["phase"], world.condition("Initialized"))
    world.run(4)
    assert before == ({"proxy": "running", "app": "PodInitializing"}, "Pending", "False")
    assert (world.states["app"], world.condition("Initialized")) == ("running", "True")


def test_an_eager_startup_probe_finds_a_quick_sidecar_within_a_twentieth_of_a_second() -> None:
    world = World(pod(APP, inits=({**SIDECAR, "startupProbe": {**HTTP, "periodSeconds": 1}},)))
    world.probes["proxy", "startup"] = lambda t: t > 0.12
    world.run(1)
    assert float(world.log[-1].split()[0]) <= 0.17


def test_readiness_honours_the_initial_delay_and_then_comes_at_once() -> None:
    probe = {**HTTP, "initialDelaySeconds": 5, "periodSeconds": 10}
    world = World(pod({**APP, "readinessProbe": probe}))
    ready = [(second, world.run(second).condition("Ready")) for second in (4.9, 5.1)]
    assert ready == [(4.9, "False"), (5.1, "True")]


def test_readiness_is_lost_after_the_failure_threshold_and_regained() -> None:
    probe = {**HTTP, "periodSeconds": 10, "failureThreshold": 3}
    world = World(pod({**APP, "readinessProbe": probe}))
    world.probes["app", "readiness"] = lambda t: not 5 < t < 45
    ready = [world.run(second).condition("Ready") for second in (1, 29, 31, 51)]
    assert ready == ["True", "True", "False", "True"]


def test_early_failures_do_not_count_against_a_startup_probe() -> None:
    probe = {**HTTP, "periodSeconds": 10, "failureThreshold": 2}
    world = World(pod({**APP, "startupProbe": probe}))
    world.probes["app", "startup"] = lambda _: False
    world.run(19)
    assert world.states == {"app": "running"}
    world.run(21)
    assert "20 end app: Container app failed startup probe, will be restarted" in world.log


def test_a_failed_liveness_probe_restarts_the_container() -> None:
    probe = {**HTTP, "periodSeconds": 5, "failureThreshold": 2, "initialDelaySeconds": 3}
    world = World(pod({**APP, "livenessProbe": probe}))
    world.probes["app", "liveness"] = lambda t: t > 10
    world.run(30)
    assert world.log[2:] == [
        "8 end app: Container app failed liveness probe, will be restarted",
        "8 SIGTERM app",
        "8 start app",
    ]
    assert world.status["containerStatuses"][0]["restartCount"] == 1


def test_liveness_and_readiness_wait_for_the_startup_probe() -> None:
    world = World(pod({**APP, "startupProbe": HTTP, "readinessProbe": HTTP, "livenessProbe": HTTP}))
    asked: list[str] = []
    for kind in ("startup", "readiness", "liveness"):
        world.probes["app", kind] = lambda t, kind=kind: asked.append(kind) or t > 1  # type: ignore[misc]
    world.run(3)
    assert asked[asked.index("readiness") - 1] == "startup"
    assert asked.count("startup") == asked.index("readiness") > 3


STOPS: list[tuple[str, dict[str, Any], Life, float, float, list[str]]] = [
    (
        "SIGTERM is enough for a polite app",
        APP,
        Life(on_term=3),
        0,
        30,
        ["10 drain", "10 end app: Stopping container app", "10 SIGTERM app", "13 remove", "13 finalize"],
    ),
    (
        "an app that ignores SIGTERM is killed after the grace period",
        APP,
        Life(on_term=None),
        0,
        5,
        [
            "10 drain",
            "10 end app: Stopping container app",
            "10 SIGTERM app",
            "15 SIGKILL app",
            "15 remove",
            "15 finalize",
        ],
    ),
    (
        "the preStop hook comes before SIGTERM",
        {**APP, "lifecycle": {"preStop": {"sleep": {"seconds": 1}}}},
        Life(),
        0,
        30,
        [
            "10 drain",
            "10 end app: Stopping container app",
            "10 preStop app",
            "11 SIGTERM app",
            "11 remove",
            "11 finalize",
        ],
    ),
    (
        "a hook that outlasts the grace period leaves two seconds for SIGTERM",
        {**APP, "lifecycle": {"preStop": {"sleep": {"seconds": 60}}}},
        Life(on_term=None),
        0,
        3,
        [
            "10 drain",
            "10 end app: Stopping container app",
            "10 preStop app",
            "13 SIGTERM app",
            "15 SIGKILL app",
            "15 remove",
        ],
    ),
    (
        "without any grace there is no time for a hook",
        {**APP, "lifecycle": {"preStop": {"sleep": {"seconds": 60}}}},
        Life(on_term=None),
        0,
        0,
        ["10 drain", "10 end app: Stopping container app", "10 SIGTERM app", "12 SIGKILL app", "12 remove"],
    ),
    (
        "SIGTERM waits until nobody sends new requests",
        APP,
        Life(),
        2,
        30,
        ["10 drain", "12 end app: Stopping container app", "12 SIGTERM app", "12 remove", "12 finalize"],
    ),
]


@pytest.mark.parametrize(("spec", "life", "drain_s", "grace_s", "log"), [case[1:] for case in STOPS], ids=lambda v: "")
def test_stop(spec: dict[str, Any], life: Life, drain_s: float, grace_s: float, log: list[str]) -> None:
    world = World(pod(spec), {"app": [life]})
    world.drain_s, world.hook_s = (
        drain_s,
        spec.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0),
    )
    world.run(10)
    world.delete(grace_s).run(60)
    assert world.log[2:][: len(log)] == log


def test_sidecars_end_last_and_in_reverse_order() -> None:
    second = {**SIDECAR, "name": "second"}
    world = World(pod(APP, inits=(SIDECAR, second)), {"app": [Life(on_term=1)], "second": [Life(on_term=1)]})
    world.run(5)
    world.log.clear()
    world.delete().run(60)
    assert [line for line in world.log if "SIGTERM" in line] == ["5 SIGTERM app", "6 SIGTERM second", "7 SIGTERM proxy"]


def test_a_pod_deleted_before_anything_started_is_only_finalized() -> None:
    assert World(pod()).delete().run(1).log == ["0 finalize"]


def test_post_start_comes_before_the_container_counts_as_started() -> None:
    world = World(pod({**APP, "lifecycle": {"postStart": {"exec": {"command": ["x"]}}}}))
    started = [world.run(second).status["containerStatuses"][0]["started"] for second in (0.5, 1.5)]
    assert started == [False, True]


def test_back_off_says_what_kubernetes_says() -> None:
    entry = World(pod(), {"app": CRASHES}).run(3).status["containerStatuses"][0]
    assert entry["state"]["waiting"] == {
        "reason": "CrashLoopBackOff",
        "message": "back-off 10s restarting failed container=app pod=web_default(u1)",
    }
    assert (entry["lastState"]["terminated"]["exitCode"], entry["restartCount"]) == (1, 1)


def test_after_a_restart_of_the_node_containers_run_again_and_count_it() -> None:
    world = World(pod()).run(5)
    world.observed = observed.recalled(world.pod, world.now)
    world.run(6)
    entry = world.status["containerStatuses"][0]
    assert world.log[2:] == ["5 sandbox", "5 start app"]
    assert (entry["restartCount"], entry["lastState"]["terminated"]["exitCode"], entry["ready"]) == (1, 255, True)


def test_after_a_restart_of_the_node_a_pod_that_never_restarts_has_failed() -> None:
    world = World(pod(restartPolicy="Never")).run(5)
    world.observed = observed.recalled(world.pod, world.now)
    world.run(6)
    assert (world.log[2:], world.status["phase"]) == ([], "Failed")


def test_a_container_that_cannot_be_made_says_why_and_is_tried_again() -> None:
    world = World(pod())
    world.run(0)
    trouble = observed.Trouble(reason="ErrImageNeverPull", message="build it", retry_at=START + 2)
    world.observed = observed.refused(observed.change(world.observed, "app", run=None), "app", trouble)
    world.run(1)
    assert world.status["containerStatuses"][0]["state"] == {
        "waiting": {"reason": "ErrImageNeverPull", "message": "build it"}
    }
    assert world.run(3).log[-1] == "2 start app"


def test_conditions_have_kubernetes_words_for_what_is_not_ready() -> None:
    world = World(pod({**APP, "readinessProbe": {**HTTP, "initialDelaySeconds": 60}}, inits=(SETUP,)))
    world.lives["setup"] = [Life(2)]
    words = {entry["type"]: entry.get("message", "") for entry in world.run(1).status["conditions"]}
    assert words == {
        "PodReadyToStartContainers": "",
        "Initialized": "containers with incomplete status: [setup]",
        "Ready": "containers with unready status: [app]",
        "ContainersReady": "containers with unready status: [app]",
        "PodScheduled": "",
    }
