"""The ways that requests take in the traffic measurements, and the processes on them."""

from dataclasses import dataclass

from tests.bench import load, processes, traffic_pods
from tests.bench.load import Target
from tests.bench.mesh import Mesh
from tests.bench.traffic_pods import NAMESPACE, PORT

TWO, HAND = "two sidecars, mTLS", "by hand, mTLS"
TOLD, TRACED = "two sidecars, 1 % of traces", "two sidecars, all traces"
SILENT = "two sidecars, silent"


@dataclass(frozen=True)
class Path:
    """A way from a caller to a backend. `counted`: the Envoys whose time on a CPU is counted, and who they are."""

    name: str
    target: Target
    counted: tuple[int, ...]
    who: str = "proxies'"


def every(mesh: Mesh) -> list[Path]:
    """By address where the mesh would otherwise take part; by service name where it shall."""
    pods = {pod["metadata"]["name"]: pod["status"]["podIP"] for pod in mesh.get("pods", "-n", NAMESPACE)["items"]}
    services = {
        service["metadata"]["name"]: service["spec"]["clusterIP"]
        for service in mesh.get("services", "-n", NAMESPACE)["items"]
    }
    envoys, backends = _envoys(mesh, backend=False), _envoys(mesh, backend=True)
    plain, meshed = f"http://{services['server-plain']}/", f"http://{services['server-meshed']}/"

    def two(name: str, kind: str) -> Path:
        client, server = f"client-{kind}", f"server-{kind}"
        return Path(name, Target(client, f"http://{services[server]}/", server), (envoys[client], envoys[server]))

    return [
        # The backend is an Envoy too, so its time says how fast this machine is just now.
        Path(
            "direct",
            Target("client-plain", f"http://{pods['server-plain']}:{PORT}/"),
            (backends["server-plain"],),
            "backend's",
        ),
        Path("one sidecar, the caller's", Target("client-meshed", plain, "server-plain"), (envoys["client-meshed"],)),
        Path(
            "one sidecar, the server's",
            Target("client-plain", f"http://{pods['server-meshed']}:{PORT}/"),
            (envoys["server-meshed"],),
        ),
        two(TWO, "meshed"),
        # Any address will do: the caller's Envoy takes them all, and routes by host.
        Path(HAND, Target("client-hand", meshed, "server-hand"), (envoys["client-hand"], envoys["server-hand"])),
        two(TOLD, "told"),
        two(TRACED, "traced"),
        two(SILENT, "silent"),
    ]


def _envoys(mesh: Mesh, *, backend: bool) -> dict[str, int]:
    """The Envoy that is a pod's proxy, or the one that is its backend, by pod."""
    return {
        each.hostname: each.pid
        for each in processes.below(mesh.pid)
        if each.is_envoy and (each.command[0] == traffic_pods.BACKEND_PROGRAM) is backend
    }


def pin(mesh: Mesh) -> None:
    """Keep proxies and backends on one CPU, away from wrk's."""
    _, cpu = load.cpus()
    names = {f"{role}-{kind}" for role in ("client", "server") for kind in traffic_pods.KINDS}
    if cpu is not None:
        processes.pin((each.pid for each in processes.below(mesh.pid) if each.is_envoy and each.hostname in names), cpu)


def prove_mtls(mesh: Mesh) -> None:
    """Figures without the encryption that they are said to include would be worse than none."""
    ask = ("pilot-agent", "request", "GET", "/stats?filter=ssl.handshake")
    stats = mesh.kubectl("exec", "-n", NAMESPACE, "server-meshed", "-c", "istio-proxy", "--", *ask)
    if not any(int(line.rpartition(":")[2]) for line in stats.splitlines()):
        raise RuntimeError(f"no TLS handshake at the server's sidecar:\n{stats}")
