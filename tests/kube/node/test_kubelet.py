"""Pods through the whole kubelet: a real API over an in-memory store, and processes that are local subprocesses."""

import asyncio
import base64
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.kube.node.fakes import LocalImages, LocalRuntime
from tests.ports import free_port

from semafor.kube import store
from semafor.kube.api.client import Client
from semafor.kube.api.errors import StatusError, unavailable
from semafor.kube.api.node import NodeError
from semafor.kube.api.objects import Objects
from semafor.kube.api.options import TokenAsk
from semafor.kube.images.host import Host
from semafor.kube.node import registration
from semafor.kube.node.kubelet import TOKEN_REFRESH_S, Kubelet
from semafor.kube.node.machine import Options
from semafor.kube.node.pod_folder import PodFolder
from semafor.kube.node.roles import NoHooks
from semafor.resources.core import config_map, event, node, pod, secret, service_account

SLEEP = "import time; time.sleep(1000)"
Json = dict[str, Any]


class Cluster:
    """A node, and the client to play the user with."""

    def __init__(self, client: Client, runtime: LocalRuntime, images: LocalImages, kubelet: Kubelet) -> None:
        self.client = client
        self.runtime = runtime
        self.images = images
        self.kubelet = kubelet

    async def create(self, *containers: Json, name: str = "web", **spec: Any) -> Json:
        spec = {"automountServiceAccountToken": False, **spec}
        made = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": "default", "labels": {"app": "web"}},
            "spec": {"nodeName": "semafor", "containers": list(containers) or [app()], **spec},
        }
        return await self.client.create(pod.KIND, made)

    async def until(self, holds: Callable[[Json], Any], name: str = "web") -> Json:
        """The pod, as soon as `holds` is true of it."""
        async with asyncio.timeout(15):
            async for change, found in self.client.watch(pod.KIND, "default"):
                if change != "DELETED" and found["metadata"]["name"] == name and holds(found):
                    return found
        raise AssertionError

    async def gone(self, name: str = "web") -> None:
        async with asyncio.timeout(15):
            async for change, found in self.client.watch(pod.KIND, "default"):
                if change == "DELETED" and found["metadata"]["name"] == name:
                    return

    async def output(self, container: str = "app", name: str = "web", **view: Any) -> str:
        found = self.client.get(pod.KIND, "default", name)
        assert found is not None
        wanted: Json = {"previous": False, "follow": False, "tail": None, "since": None, "timestamps": False}
        chunks = self.kubelet.access.logs(found, container, **{**wanted, "limit_bytes": None, **view})
        return b"".join([chunk async for chunk in chunks]).decode()


class Hooks(NoHooks):
    """Shows a file in the container `app`, which it takes for a proxy."""

    def files(self, pod: Json, container: str) -> dict[str, bytes]:
        return {"/etc/proxy.json": container.encode()}

    def is_proxy(self, pod: Json, container: str) -> bool:
        return container == "app"


@asynccontextmanager
async def cluster(folder: Path, backing: store.Store | None = None) -> AsyncIterator[Cluster]:
    client = Client(Objects(backing or store.Store.open(None)))
    runtime, images = LocalRuntime(), LocalImages()
    options = Options(
        folder=folder / "pods",
        host=Host(folders=()),
        capacity={"cpu": "2", "memory": "1Gi"},
        mint=minted,
        hooks=Hooks(),
    )
    kubelet = Kubelet(options, client, runtime, images)
    task = asyncio.create_task(kubelet.run())
    try:
        yield Cluster(client, runtime, images, kubelet)
    finally:
        task.cancel()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        await runtime.stop()
        assert isinstance(outcome, asyncio.CancelledError), outcome


def minted(ask: TokenAsk) -> str:
    return f"token of {ask.namespace}/{ask.service_account} for {ask.lifetime_s} s"


async def eventually(holds: Callable[[], Any]) -> None:
    """Return as soon as something is true that no watch tells of."""
    async with asyncio.timeout(15):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def app(program: str = SLEEP, **more: Any) -> Json:
    return {"name": "app", "image": "python", "args": [program], **more}


def running(found: Json) -> bool:
    return bool(found["status"].get("phase") == "Running")


def ready(found: Json) -> bool:
    conditions = found["status"].get("conditions") or []
    return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)


def reason(found: Json) -> str:
    entries = found["status"].get("containerStatuses") or [{"state": {}}]
    state = next(iter(entries[0]["state"].values()), {})
    return str(state.get("reason", ""))


async def test_a_plain_pod_becomes_ready_and_leaves_without_a_trace(tmp_path: Path) -> None:
    async with cluster(tmp_path) as it:
        await it.create()
        found = await it.until(ready)
        assert (found["status"]["podIP"], found["status"]["phase"]) == ("10.244.0.2", "Running")
        leaving = asyncio.create_task(it.gone())
        await asyncio.sleep(0)
        await it.client.delete(pod.KIND, "default", "web")
        await leaving
        assert it.runtime.sandboxes == {}
        await eventually(lambda: not list((tmp_path / "pods").iterdir()))


async def test_events_have_kubernetes_words(tmp_path: Path) -> None:
    async with cluster(tmp_path) as it:
        await it.create()
        await it.until(ready)
        await eventually(lambda: len(it.client.list(event.KIND, "default")) == 3)
        found = it.client.list(event.KIND, "default")
        assert {entry["reason"]: entry["message"] for entry in found} == {
            "Pulled": 'Container image "python" already present on machine',
            "Created": "Created container: app",
            "Started": "Started container app",
        }


async def test_the_node_registers_itself_as_ready(tmp_path: Path) -> None:
    async with cluster(tmp_path) as it:
        await it.create()
        await it.until(running)
        found = it.client.get(node.KIND, "", "semafor")
        assert found is not None
        conditions = {entry["type"]: entry["status"] for entry in found["status"]["conditions"]}
        assert (conditions["Ready"], found["status"]["capacity"]["cpu"]) == ("True", "2")


async def test_a_lease_that_cannot_be_written_ends_nothing(tmp_path: Path, monkeypatch) -> None:
    beats: list[float] = []

    async def refuse(_: Any, __: Any, now: float) -> None:
        beats.append(now)
        if len(beats) > 1:  # the first one belongs to the registration
            raise unavailable("the disk is full")

    monkeypatch.setattr(registration, "beat", refuse)
    monkeypatch.setattr(registration, "HEARTBEAT_S", 0.01)
    async with cluster(tmp_path) as it:
        await eventually(lambda: len(beats) > 2)
        await it.create()
        await it.until(running)


async def test_a_job_ends_and_its_log_can_be_read(tmp_path: Path) -> None:
    async with cluster(tmp_path) as it:
        await it.create(app("print('one'); print('two')"), restartPolicy="Never")
        found = await it.until(lambda found: found["status"].get("phase") == "Succeeded")
        assert (reason(found), await it.output(), await it.output(tail=1)) == ("Completed", "one\ntwo\n", "two\n")


async def test_following_a_log_ends_with_its_container(tmp_path: Path) -> None:
    async with cluster(tmp_path) as it:
        program = "import time; print('one', flush=True); time.sleep(0.3); print('two')"
        await it.create(app(program), restartPolicy="Never")
        await it.until(running)
        assert await it.output(follow=True) == "one\ntwo\n"


async def test_the_log_of_the_run_before(tmp_path: Path) -> None:
    async with cluster(tmp_path) as it:
        await it.create(app("print('said'); raise SystemExit(3)"))
        found = await it.until(lambda found: reason(found) == "CrashLoopBackOff")
        entry = found["status"]["containerStatuses"][0]
        assert (entry["restartCount"], entry["lastState"]["terminated"]["exitCode"]) == (1, 3)
        assert await it.output(previous=True) == "said\n"


async def test_a_log_of_a_container_that_waits_says_what_for(tmp_path: Path) -> None:
    async with cluster(tmp_path) as it:
        await it.create({"name": "app", "image": "missing"})
        await it.until(lambda found: reason(found) == "ErrImageNeverPull")
        try:
            await it.output()
        except NodeError as error:
            words = str(error)
        assert words.startswith('container "app" in pod "web" is waiting to start: ErrImageNeverPull (Container image')


async def test_an_image_that_is_built_later_starts_its_pods(tmp_path: Path) -> None:
    async with cluster(tmp_path) as it:
        await it.create({"name": "app", "image": "missing", "args": [SLEEP]})
        found = await it.until(lambda found: reason(found) == "ErrImageNeverPull")
        message = found["status"]["containerStatuses"][0]["state"]["waiting"]["message"]
        assert "semafor build -t missing DIR" in message
        it.images.missing.clear()
        await it.until(running)


async def test_an_ordinary_user_is_told_that_a_user_of_the_pods_own_is_out_of_reach(tmp_path: Path) -> None:
    async with cluster(tmp_path) as it:
        await it.create(app() | {"name": "other", "securityContext": {"runAsUser": 1000}})
        await eventually(lambda: "RunAsUserNotSupported" in {entry["reason"] for entry in it.client.list(event.KIND)})


async def test_a_proxy_is_the_meshs_own_user_whoever_it_is_to_be(tmp_path: Path) -> None:
    async with cluster(tmp_path) as it:
        made = await it.create(app(), securityContext={"runAsUser": 1337, "runAsGroup": 1337})
        await it.until(running)
        container = it.runtime.containers[made["metadata"]["uid"], "app"]
        assert (container.uid, container.gid, container.privileged_net) == (0, 0, True)


async def test_a_pod_of_an_unknown_service_account_is_refused(tmp_path: Path) -> None:
    async with cluster(tmp_path) as it:
        with pytest.raises(StatusError, match='serviceaccount "nobody" not found'):
            await it.create(serviceAccountName="nobody")


async def test_a_missing_config_map_holds_the_container_until_it_is_there(tmp_path: Path) -> None:
    async with cluster(tmp_path) as it:
        source = {"configMapKeyRef": {"name": "settings", "key": "colour"}}
        program = "import os; print(os.environ['COLOUR'])"
        await it.create(app(program, env=[{"name": "COLOUR", "valueFrom": source}]), restartPolicy="Never")
        found = await it.until(lambda found: reason(found) == "CreateContainerConfigError")
        state = found["status"]["containerStatuses"][0]["state"]
        assert state["waiting"]["message"] == 'configmap "settings" not found'
        await it.client.create(config_map.KIND, settings(colour="red"))
        await it.until(lambda found: found["status"].get("phase") == "Succeeded")
        assert await it.output() == "red\n"


def settings(**data: str) -> Json:
    meta = {"name": "settings", "namespace": "default"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


async def test_a_volume_waits_for_its_config_map_and_follows_it(tmp_path: Path) -> None:
    async with cluster(tmp_path) as it:
        mount = {"name": "cfg", "mountPath": "/cfg"}
        volume = {"name": "cfg", "configMap": {"name": "settings"}}
        made = await it.create(app(volumeMounts=[mount]), volumes=[volume])
        await eventually(lambda: "FailedMount" in {entry["reason"] for entry in it.client.list(event.KIND)})
        await it.client.create(config_map.KIND, settings(colour="red"))
        await it.until(running)
        container = it.runtime.containers[made["metadata"]["uid"], "app"]
        source = next(mount.source for mount in container.mounts if mount.target == "/cfg")
        assert (Path(source) / "colour").read_text() == "red"
        await it.client.patch(config_map.KIND, "default", "settings", {"data": {"colour": "blue"}})
        await eventually(lambda: (Path(source) / "colour").read_text() == "blue")


async def test_secrets_reach_the_environment_decoded(tmp_path: Path) -> None:
    async with cluster(tmp_path) as it:
        meta = {"name": "keys", "namespace": "default"}
        data = {"TOKEN": base64.b64encode(b"abc").decode()}
        await it.client.create(secret.KIND, {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": data})
        program = "import os; print(os.environ['TOKEN'], os.environ['HOSTNAME'])"
        await it.create(app(program, envFrom=[{"secretRef": {"name": "keys"}}]), restartPolicy="Never")
        await it.until(lambda found: found["status"].get("phase") == "Succeeded")
        assert await it.output() == "abc web\n"


async def test_the_service_accounts_token_is_mounted_as_kubernetes_does(tmp_path: Path) -> None:
    async with cluster(tmp_path) as it:
        account = {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "default", "namespace": "default"},
        }
        await it.client.create(service_account.KIND, account)
        roots = {**settings(**{"ca.crt": "PEM"}), "metadata": {"name": "kube-root-ca.crt", "namespace": "default"}}
        await it.client.create(config_map.KIND, roots)
        made = await it.create(automountServiceAccountToken=True)
        await it.until(running)
        mounts = it.runtime.containers[made["metadata"]["uid"], "app"].mounts
        source = Path(next(each.source for each in mounts if "serviceaccount" in each.target))
        texts = {name: (source / name).read_text() for name in ("token", "ca.crt", "namespace")}
        token = "token of default/default for 3607 s"
        assert texts == {"token": token, "ca.crt": "PEM", "namespace": "default"}


async def test_tokens_are_made_anew_before_they_expire(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert TOKEN_REFRESH_S < 600  # the shortest life of a token
    monkeypatch.setattr("semafor.kube.node.kubelet.TOKEN_REFRESH_S", 0.05)
    numbers = itertools.count()
    monkeypatch.setitem(globals(), "minted", lambda _: f"token {next(numbers)}")
    async with cluster(tmp_path) as it:
        meta = {"name": "default", "namespace": "default"}
        await it.client.create(service_account.KIND, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})
        token = {"serviceAccountToken": {"path": "token", "expirationSeconds": 600}}
        made = await it.create(
            app(volumeMounts=[{"name": "v", "mountPath": "/v"}]),
            volumes=[{"name": "v", "projected": {"sources": [token]}}],
        )
        await it.until(running)
        mounts = it.runtime.containers[made["metadata"]["uid"], "app"].mounts
        path = Path(next(each.source for each in mounts if each.target == "/v")) / "token"
        first = path.read_text()
        await eventually(lambda: path.read_text() != first)


async def test_the_apps_hooks_add_files_and_rights(tmp_path: Path) -> None:
    async with cluster(tmp_path) as it:
        made = await it.create()
        await it.until(running)
        container = it.runtime.containers[made["metadata"]["uid"], "app"]
        mount = next(each for each in container.mounts if each.target == "/etc/proxy.json")
        content = await asyncio.to_thread(Path(mount.source).read_bytes)
        assert (content, mount.read_only, container.privileged_net) == (b"app", True, True)


async def test_a_program_that_does_not_exist_is_a_start_error_with_back_off(tmp_path: Path) -> None:
    async with cluster(tmp_path) as it:
        await it.create({"name": "app", "image": "python", "command": ["/no/such/program"]})
        found = await it.until(lambda found: reason(found) == "CrashLoopBackOff")
        ended = found["status"]["containerStatuses"][0]["lastState"]["terminated"]
        assert (ended["reason"], ended["exitCode"]) == ("StartError", 127)


async def test_readiness_follows_an_http_probe(tmp_path: Path) -> None:
    port = free_port()
    probe = {"httpGet": {"path": "/", "port": port}, "periodSeconds": 1}
    server = f"import http.server as h; h.test(h.SimpleHTTPRequestHandler, port={port}, bind='127.0.0.1')"
    async with cluster(tmp_path) as it:
        await it.create(app(server, readinessProbe=probe))
        await it.until(lambda found: running(found) and not ready(found))
        await it.until(ready)


async def test_the_hooks_come_around_sigterm(tmp_path: Path) -> None:
    async with cluster(tmp_path) as it:
        stop = {"exec": {"command": ["touch", str(tmp_path / "stopped")]}}
        await it.create(app(lifecycle={"preStop": stop}))
        await it.until(ready)
        leaving = asyncio.create_task(it.gone())
        await asyncio.sleep(0)
        await it.client.delete(pod.KIND, "default", "web")
        await leaving
        assert (it.runtime.signals, (tmp_path / "stopped").exists()) == ([("app", 15)], True)


async def test_after_a_restart_of_the_node_pods_run_again_and_count_it(tmp_path: Path) -> None:
    backing = store.Store.open(None)
    async with cluster(tmp_path, backing) as it:
        await it.create()
        await it.until(ready)
    async with cluster(tmp_path, backing) as it:
        found = await it.until(lambda found: ready(found) and found["status"]["containerStatuses"][0]["restartCount"])
        entry = found["status"]["containerStatuses"][0]
        assert (entry["restartCount"], entry["lastState"]["terminated"]["reason"]) == (1, "Unknown")


async def test_a_forced_deletion_ends_the_process_too(tmp_path: Path) -> None:
    async with cluster(tmp_path) as it:
        await it.create()
        await it.until(ready)
        await it.client.delete(pod.KIND, "default", "web", grace_period_s=0)
        await eventually(lambda: not it.runtime.sandboxes)


async def test_exec_runs_in_a_running_container_only(tmp_path: Path) -> None:
    async with cluster(tmp_path) as it:
        await it.create()
        found = await it.until(ready)
        process = await it.kubelet.access.exec(found, "app", ["echo", "hi"], tty=False, stdin=False)
        output = b"".join([chunk async for chunk in process.stdout])
        assert (output, await process.wait()) == (b"hi\n", 0)


async def test_another_image_restarts_the_container(tmp_path: Path) -> None:
    async with cluster(tmp_path) as it:
        await it.create()
        made = await it.until(ready)
        containers = [{**made["spec"]["containers"][0], "image": "python:2"}]
        await it.client.patch(pod.KIND, "default", "web", {"spec": {"containers": containers}})
        found = await it.until(lambda found: ready(found) and found["status"]["containerStatuses"][0]["restartCount"])
        assert found["status"]["containerStatuses"][0]["image"] == "python:2"


async def test_a_pod_whose_namespaces_were_lost_gets_new_ones(tmp_path: Path) -> None:
    async with cluster(tmp_path) as it:
        made = await it.create()
        await it.until(ready)
        await it.runtime.remove(made["metadata"]["uid"])
        found = await it.until(lambda found: ready(found) and found["status"]["containerStatuses"][0]["restartCount"])
        assert (found["status"]["podIP"], list(it.runtime.sandboxes)) == ("10.244.0.3", [made["metadata"]["uid"]])


def test_only_the_log_of_the_run_before_is_kept(tmp_path: Path) -> None:
    folder = PodFolder(tmp_path, None)
    for attempt in range(4):
        folder.container("app", attempt)
        folder.log("app", attempt).write_text("said")
    assert sorted(path.name for path in (tmp_path / "logs" / "app").iterdir()) == ["2.log", "3.log"]
