"""Requests through real pods: how many, how fast, and what the proxies spend on each.

wrk runs on one CPU; backends and proxies share another, so that requests/s compares what a path costs. Rounds of all
paths are interleaved: what else happens on the machine hits all of them.
"""

from dataclasses import dataclass, field

from tests.bench import load, processes, traffic_pods
from tests.bench.effort import Effort, say
from tests.bench.load import Load, Target
from tests.bench.mesh import Mesh, running
from tests.bench.result import Measure, Report
from tests.bench.traffic_pods import NAMESPACE, PORT

_BUDGET_RATIO = 1.10
_TWO, _HAND = "two sidecars, mTLS", "by hand, mTLS"


@dataclass
class Path:
    """A way from a caller to a backend. `counted`: the Envoys whose time on a CPU is counted, and who they are."""

    name: str
    target: Target
    counted: list[int]
    who: str = "proxies'"
    loads: list[Load] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)  # for each request


def measure(report: Report, effort: Effort) -> None:
    """Needs `wrk`; without it a note says so."""
    if reason := load.missing():
        report.notes.append(reason)
        return
    with running() as mesh:
        mesh.make_namespace(NAMESPACE)
        traffic_pods.start(mesh)
        paths = _paths(mesh)
        _pin(mesh)
        for path in paths:
            _run(mesh, path, effort.seconds(full=2, quick=1))
        _prove_mtls(mesh)
        for path in paths:
            path.loads, path.cpu_us = [], []
        for number in effort.rounds("traffic", full=(9, 150), quick=(4, 35)):
            turned = paths[number % len(paths) :] + paths[: number % len(paths)]
            for path in turned if number % 2 else reversed(turned):
                _run(mesh, path, effort.seconds(full=2, quick=1))
    for path in paths:
        _report(report, path)
    _ratio(report, {path.name: path for path in paths})


def _paths(mesh: Mesh) -> list[Path]:
    """By address where the mesh would otherwise take part; by service name where it shall."""
    pods = {pod["metadata"]["name"]: pod["status"]["podIP"] for pod in mesh.get("pods", "-n", NAMESPACE)["items"]}
    services = {
        service["metadata"]["name"]: service["spec"]["clusterIP"]
        for service in mesh.get("services", "-n", NAMESPACE)["items"]
    }
    envoys, backends = _envoys(mesh, backend=False), _envoys(mesh, backend=True)
    plain, meshed = f"http://{services['server-plain']}/", f"http://{services['server-meshed']}/"
    return [
        # The backend is an Envoy too, so its time says how fast this machine is just now.
        Path(
            "direct",
            Target("client-plain", f"http://{pods['server-plain']}:{PORT}/"),
            [backends["server-plain"]],
            "backend's",
        ),
        Path("one sidecar, the caller's", Target("client-meshed", plain, "server-plain"), [envoys["client-meshed"]]),
        Path(
            "one sidecar, the server's",
            Target("client-plain", f"http://{pods['server-meshed']}:{PORT}/"),
            [envoys["server-meshed"]],
        ),
        Path(
            _TWO,
            Target("client-meshed", meshed, "server-meshed"),
            [envoys["client-meshed"], envoys["server-meshed"]],
        ),
        # Any address will do: the caller's Envoy takes them all, and routes by host.
        Path(_HAND, Target("client-hand", meshed, "server-hand"), [envoys["client-hand"], envoys["server-hand"]]),
    ]


def _envoys(mesh: Mesh, *, backend: bool) -> dict[str, int]:
    """The Envoy that is a pod's proxy, or the one that is its backend, by pod."""
    return {
        each.hostname: each.pid
        for each in processes.below(mesh.pid)
        if each.is_envoy and (each.command[0] == traffic_pods.BACKEND_PROGRAM) is backend
    }


def _pin(mesh: Mesh) -> None:
    _, cpu = load.cpus()
    names = {f"{role}-{kind}" for role in ("client", "server") for kind in traffic_pods.KINDS}
    if cpu is not None:
        processes.pin((each.pid for each in processes.below(mesh.pid) if each.is_envoy and each.hostname in names), cpu)


def _run(mesh: Mesh, path: Path, seconds: float) -> None:
    before = processes.cpu_ns(path.counted)
    done = load.run(mesh, NAMESPACE, path.target, seconds=seconds, cpu=load.cpus()[0])
    spent = processes.cpu_ns(path.counted) - before
    if done.failed:
        raise RuntimeError(f"{path.name}: {done.failed} of {done.requests} requests failed")
    path.loads.append(done)
    path.cpu_us.append(spent / 1e3 / done.requests)


def _prove_mtls(mesh: Mesh) -> None:
    """Figures without the encryption that they are said to include would be worse than none."""
    ask = ("pilot-agent", "request", "GET", "/stats?filter=ssl.handshake")
    stats = mesh.kubectl("exec", "-n", NAMESPACE, "server-meshed", "-c", "istio-proxy", "--", *ask)
    if not any(int(line.rpartition(":")[2]) for line in stats.splitlines()):
        raise RuntimeError(f"no TLS handshake at the server's sidecar:\n{stats}")


def _report(report: Report, path: Path) -> None:
    def add(what: str, unit: str, samples: list[float]) -> None:
        report.add(Measure("traffic", f"{path.name}: {what}", unit, samples))

    add("requests", "req/s", [each.per_s for each in path.loads])
    add("p50", "ms", [each.p50 / 1e3 for each in path.loads])
    add("p99", "ms", [each.p99 / 1e3 for each in path.loads])
    add(f"{path.who} CPU for a request", "us", path.cpu_us)


def _ratio(report: Report, paths: dict[str, Path]) -> None:
    """Of the two runs of the same round."""
    ratios = [ours / theirs for ours, theirs in zip(paths[_TWO].cpu_us, paths[_HAND].cpu_us, strict=True)]
    say(f"ratios of the rounds: {' '.join(f'{ratio:.2f}' for ratio in ratios)}")
    report.add(Measure("traffic", "CPU of two sidecars / by hand", "x", ratios, _BUDGET_RATIO))
