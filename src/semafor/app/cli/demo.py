"""`semafor demo`: the main job, from nothing to a checked 90/10 split, in one command."""

import asyncio
import contextlib
import json
import sys
import time
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import click

from semafor.app.cli import down, output, up
from semafor.app.cli.api import Api, documents
from semafor.app.cli.live import Split
from semafor.app.cli.output import Failure
from semafor.app.home import Home
from semafor.kube.images.library import Images
from semafor.resources import registry
from semafor.resources.kind import Kind

NAMESPACE = "demo"
SPLIT = {"v1": 0.90, "v2": 0.10}
# Four standard deviations of a fair 90/10 split: a right split is refused once in 16,000 runs.
_DEVIATIONS = 4.0
_READY_TIMEOUT_S = 60.0
_IMAGES: tuple[tuple[str, str, dict[str, str]], ...] = (  # (tag, folder, build arguments)
    ("tutorial/model:v1", "model", {"VERSION": "v1"}),
    ("tutorial/model:v2", "model", {"VERSION": "v2"}),
    ("tutorial/agent:latest", "agent", {}),
    ("tutorial/load:latest", "load", {}),
)
_SERVICES = ("model/service.yaml", "model/deployment-v1.yaml", "model/deployment-v2.yaml", "agent/deployment.yaml")


@dataclass
class Result:
    """What the demo found; `seconds` counts from the command's start, `up` is the mesh's own part."""

    requests: int
    split: dict[str, int] = field(default_factory=lambda: {"v1": 0, "v2": 0})
    errors: int = 0
    mtls: bool = False
    seconds: dict[str, float] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        seconds = {name: round(value, 2) for name, value in self.seconds.items()}
        return {
            "requests": self.requests,
            "split": self.split,
            "errors": self.errors,
            "mtls": self.mtls,
            "seconds": seconds,
        }


@click.command()
@click.option(
    "--requests",
    "count",
    type=click.IntRange(1, 1_000_000),
    default=2000,
    show_default=True,
    metavar="N",
    help="How many requests to send.",
)
@click.option("--keep", is_flag=True, help="Leave the mesh and the services running.")
@output.format_option
def command(*, count: int, keep: bool, form: str) -> None:
    """Start the mesh, run an agent that calls two versions of a model service, and split its calls 90/10.

    \b
    Example:
      semafor demo --keep
      semafor demo --requests 500 -o json
    """
    started = time.monotonic()
    home = Home.find()
    say = _Speaker(quiet=form != "text")
    report = up.ensure(home, quiet=form != "text")
    result = Result(requests=count, seconds={"up": 0.0 if report["found"] else report["seconds"]})
    say(f"mesh      {'found' if report['found'] else 'up'}: {report['server']}")
    try:
        _run(home, result, say, started)
    finally:
        if not keep:
            _clean_up(home, found=report["found"])
    result.seconds["total"] = time.monotonic() - started
    output.document(form, result.document())
    _judge(result)
    if keep:
        up.merge(home)
    say(_farewell(home, keep=keep, found=report["found"]))


class _Speaker:
    """Plain lines for people; silent when the output is a document."""

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet

    def __call__(self, line: str) -> None:
        if not self.quiet:
            print(line, flush=True)


def _run(home: Home, result: Result, say: _Speaker, started: float) -> None:
    api = Api(home)
    with as_file(files("semafor") / "tutorial") as tutorial:
        _build(home, tutorial, say)
        api.delete(_kind("Pod"), "load", NAMESPACE)
        api.apply(
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": NAMESPACE, "labels": {"istio-injection": "enabled"}},
            }
        )
        for file in (*_SERVICES, "split.yaml"):
            for body in documents(tutorial / file):
                api.apply(body, NAMESPACE)
        say("services  agent, model v1, model v2, each behind an Envoy sidecar")
        _wait_ready(api, say)
        _wait_live(api)
        say("rule      90 % to v1, 10 % to v2, live in every proxy")
        _start_load(api, tutorial, result.requests)
    _follow(api, result, say, started)
    result.mtls, identity = _mtls(api)
    say(f"mTLS      {'yes: ' + identity if result.mtls else 'NO: ' + identity}")


def _build(home: Home, tutorial: Path, say: _Speaker) -> None:
    images = Images(home.images)

    async def build() -> None:
        for tag, folder, arguments in _IMAGES:
            await images.build(
                tutorial / folder, dockerfile=None, tag=tag, args=arguments, progress=lambda _event: None
            )

    began = time.monotonic()
    with output.waiting("building the tutorial's images", quiet=say.quiet):
        asyncio.run(build())
    say(f"images    {len(_IMAGES)} built in {time.monotonic() - began:.1f} s")


def _wait_ready(api: Api, say: _Speaker) -> None:
    def missing() -> str:
        late = [d["metadata"]["name"] for d in api.objects(_kind("Deployment", "apps"), NAMESPACE) if not _available(d)]
        return f"{', '.join(late)} not available" if late else ""

    with output.waiting("waiting for the pods", quiet=say.quiet):
        api.wait(missing, timeout_s=_READY_TIMEOUT_S, what="starting the services")


def _available(deployment: dict[str, Any]) -> bool:
    status = deployment.get("status", {})
    observed = status.get("observedGeneration") == deployment["metadata"]["generation"]
    return bool(observed and status.get("availableReplicas", 0) >= deployment["spec"]["replicas"])


def _wait_live(api: Api) -> None:
    def missing() -> str:
        rule = api.get(_kind("VirtualService", "networking.istio.io"), "model", NAMESPACE) or {}
        conditions = rule.get("status", {}).get("conditions", [])
        live = next((c for c in conditions if c["type"] == "Live"), None)
        if live is None or live["status"] != "True":
            return f"the rule is not live: {live['message'] if live else 'no condition yet'}"
        return ""

    api.wait(missing, timeout_s=_READY_TIMEOUT_S, what="making the rule live")


def _start_load(api: Api, tutorial: Path, count: int) -> None:
    (pod,) = documents(tutorial / "load" / "pod.yaml")
    gone = lambda: "the old load is still there" if api.get(_kind("Pod"), "load", NAMESPACE) else ""  # noqa: E731
    api.wait(gone, timeout_s=_READY_TIMEOUT_S, what="removing an earlier load")
    pod["metadata"]["namespace"] = NAMESPACE
    pod["spec"]["containers"][0]["env"] = [{"name": "REQUESTS", "value": str(count)}]
    api.create(_kind("Pod"), pod)


def _follow(api: Api, result: Result, say: _Speaker, started: float) -> None:
    """Read the load's log while it works: one JSON line each tenth of a second."""
    api.wait(lambda: _load_waits(api), timeout_s=_READY_TIMEOUT_S, what="starting the load")
    errors: list[str] = []
    with Split(result.requests, quiet=say.quiet) as view:
        for line in api.follow_log("load", NAMESPACE):
            if not line.startswith("{"):
                errors.append(line)
                continue
            progress = json.loads(line)
            counts = progress["counts"]
            if "first_response" not in result.seconds and sum(counts.values()):
                result.seconds["first_response"] = time.monotonic() - started
            view.update(counts)
            if progress["done"]:
                break
    result.split = {version: counts.get(version, 0) for version in SPLIT}
    result.errors = result.requests - sum(result.split.values())
    for line in errors:
        say(line)


def _load_waits(api: Api) -> str:
    pod = api.get(_kind("Pod"), "load", NAMESPACE) or {}
    statuses = pod.get("status", {}).get("containerStatuses", [])
    state = statuses[0]["state"] if statuses else {}
    return (
        ""
        if "running" in state or "terminated" in state
        else f"the pod is {pod.get('status', {}).get('phase', 'unknown')}"
    )


def _mtls(api: Api) -> tuple[bool, str]:
    """Whether the model's proxies saw the agent's certificate; they forward the identity they verified."""
    expected = f"URI=spiffe://cluster.local/ns/{NAMESPACE}/sa/default"
    seen = [line for pod in api.objects(_kind("Pod"), NAMESPACE, "app=model") for line in api.log_lines(pod, "model")]
    callers = {line.rpartition("caller=")[2] for line in seen if "caller=" in line}
    proven = bool(callers) and all(expected in caller for caller in callers)
    return proven, next(iter(callers), "the model saw no certificate")


def _judge(result: Result) -> None:
    """Fail when anything is not as promised."""
    wrong = []
    if result.errors:
        wrong.append(f"{result.errors} of {result.requests} requests failed")
    if not result.mtls:
        wrong.append("the connection to the model was not mTLS")
    for version, share in SPLIT.items():
        allowed = _DEVIATIONS * (share * (1 - share) * result.requests) ** 0.5 + 1
        if abs(result.split[version] - share * result.requests) > allowed:
            wrong.append(f"{version} answered {result.split[version]} of {result.requests} requests, not {share:.0%}")
    if wrong:
        raise Failure("; ".join(wrong))


def _clean_up(home: Home, *, found: bool) -> None:
    """A mesh that the demo started is stopped; in one that ran before, only the demo's namespace goes."""
    with contextlib.suppress(Failure), output.waiting("cleaning up", quiet=not sys.stderr.isatty()):
        Api(home).delete(_kind("Namespace"), NAMESPACE)
    if not found:
        down.stop(home)


def _farewell(home: Home, *, keep: bool, found: bool) -> str:
    if not keep and found:
        return f"removed   the namespace {NAMESPACE}; the mesh runs on, as before. To keep it: semafor demo --keep"
    if not keep:
        return "stopped   to keep it running: semafor demo --keep"
    lines = (
        "running   look around:",
        f"  kubectl -n {NAMESPACE} get pods",
        f"  kubectl -n {NAMESPACE} describe virtualservice model",
        f"  kubectl -n {NAMESPACE} exec deploy/agent -c istio-proxy -- pilot-agent request GET /stats | grep ssl",
        f"  kubectl -n {NAMESPACE} port-forward svc/agent 8080:80    then: curl localhost:8080/ask?q=hello",
        f"stop it with: semafor down          state: {home.path}",
    )
    return "\n".join(lines)


def _kind(name: str, group: str = "") -> Kind:
    kind = registry.by_kind(group, name)
    assert kind is not None
    return kind
