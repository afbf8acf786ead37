"""`semafor up`: start the daemon, or find it.

Nothing is loaded before the daemon is on its way that can be loaded while it starts: hence the imports in functions.
"""

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, TextIO

import click
from click.core import ParameterSource

from semafor.app import gateways
from semafor.app.cli import output
from semafor.app.cli.output import Failure
from semafor.app.home import Home

if TYPE_CHECKING:
    from semafor.kube.node import preflight

PROFILES = ("default", "demo", "minimal", "empty")  # installation.spec has them too, and loads slowly
_START_TIMEOUT_S = 60


@click.command()
@click.option("--no-kubeconfig", is_flag=True, help="Leave the user's kubeconfig alone; use the one in the home.")
@click.option("--profile", type=click.Choice(PROFILES), default=None,
              help="What is installed: demo (the usual one) with both gateways, default with the ingress gateway, "
              "minimal without, empty nothing. Without it what was installed before.")  # fmt: skip
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port of the API on 127.0.0.1 (0: choose once, keep it)."
)
@output.format_option
def command(*, no_kubeconfig: bool, profile: str | None, port: int, form: str) -> None:
    """Start the mesh, or find the one that runs.

    \b
    Example:
      semafor up
      kubectl get nodes
    """
    home = Home.find()
    report = ensure(home, profile=profile or "", port=port, quiet=form != "text")
    if not no_kubeconfig:
        merge(home)
    if output.document(form, report):
        return
    verb = "already runs" if report["found"] else f"is ready after {report['seconds']:.1f} s"
    print(f"The mesh {verb}.")
    print(f"  API         {report['server']}")
    context = home.context if not no_kubeconfig else f"{home.context} (in {home.kubeconfig}, not merged)"
    print(f"  kubectl     context {context}")
    print(f"  state, log  {home.path}, logs/{home.log.name}")
    for line in gateways.lines(report["gateways"]):
        print(f"  gateway     {line}")
    _say_ignored(report, profile or "", port)
    print("Next: kubectl label namespace default istio-injection=enabled, then kubectl apply -f ...; or: semafor demo")


def _say_ignored(report: dict[str, Any], profile: str, port: int) -> None:
    """A mesh that runs keeps the profile and the port it was started with."""
    source = click.get_current_context().get_parameter_source
    asked = (
        ("profile", profile, report["profile"], f"change it: semafor install --set profile={profile}"),
        ("port", str(port), report["server"].rpartition(":")[2], "stop it first: semafor down"),
    )
    for name, wanted, has, how in asked:
        if source(name) is ParameterSource.COMMANDLINE and wanted not in (has, "0"):
            output.note(f"note: --{name} {wanted} has no effect, the mesh runs with {has}; {how}")


def ensure(home: Home, *, profile: str = "", port: int = 0, quiet: bool = False) -> dict[str, Any]:
    """Start the daemon of `home` unless it runs; return where it is. Raises Failure with the daemon's reason."""
    if found := _running(home):
        return found
    try:
        home.create()
    except OSError as error:
        raise Failure(f"the state folder cannot be used: {error}", "choose another folder with SEMAFOR_HOME") from error
    with output.waiting("starting the mesh", quiet=quiet):
        deadline = time.monotonic() + _START_TIMEOUT_S
        while True:
            try:
                return {"found": False, **_start(home, profile=profile, port=port)}
            except _Held:
                if found := _started_by_another(home, deadline):
                    return found
                if time.monotonic() > deadline:
                    raise


def _running(home: Home) -> dict[str, Any] | None:
    """Where the mesh of `home` is; None while none is ready. The file alone may be older than the process."""
    if home.running_pid() is None:
        return None
    from semafor.app.cli import api
    from semafor.resources.core import service

    try:
        report = home.report()
        if report is None:
            return None
        return {"found": True, **report, "gateways": gateways.found(api.Api(home).objects(service.KIND))}
    except ValueError as error:
        raise api.damaged(error) from error
    except Failure:
        if home.report() is None:  # it has begun to stop
            return None
        raise


class _Held(Failure):
    """Another daemon has the home: it starts, as another command wanted, or stops."""


def _started_by_another(home: Home, deadline: float) -> dict[str, Any] | None:
    """The mesh that another command is starting at the same moment, once it is ready; None when there is none."""
    while home.running_pid() is not None and time.monotonic() < deadline:
        if found := _running(home):
            return found
        time.sleep(0.05)
    return None


def merge(home: Home) -> None:
    """Put our context into the user's kubeconfig and make it current."""
    from semafor.app import kubeconfig

    ours, path = kubeconfig.read(home.kubeconfig), kubeconfig.user_file()
    try:
        config = kubeconfig.read(path)
        access = kubeconfig.access(ours)
        if config.get("current-context") != access.context:
            (home.path / "previous-context").write_text(config.get("current-context") or "")
        fresh = kubeconfig.merged(config, access)
        if fresh != config:
            kubeconfig.write(path, fresh)
    except (OSError, ValueError) as error:
        output.note(f"note: {path} was left alone ({error}); use: export KUBECONFIG={home.kubeconfig}")


def _start(home: Home, *, profile: str, port: int) -> dict[str, Any]:
    """Start the daemon in a session of its own and read its report: one JSON line, ready or refused.

    Meanwhile what the machine offers is tried, and what a new home needs is made: the daemon is still loading.
    """
    reader, writer = os.pipe()
    with os.fdopen(reader) as report:
        daemon = _spawn(home, writer, ["--profile", profile, "--port", str(port)])
        os.close(writer)
        from semafor.kube.node import preflight

        trial = preflight.Trial(home.path)
        from semafor.app.prepare import prepare

        prepare(home)
        if missing := trial.missing():
            daemon.terminate()
            daemon.wait(timeout=_START_TIMEOUT_S)
            raise _lacking(missing)
        line = _first_line(report, daemon)
    if not line:
        daemon.wait(timeout=_START_TIMEOUT_S)
        raise Failure(f"the daemon ended before it was ready:\n{_tail(home)}", f"the whole log: {home.log}")
    answer = json.loads(line)
    if "held" in answer:
        raise _Held(answer["held"], answer["fix"])
    if "error" in answer:
        raise Failure(answer["error"], answer.get("fix") or f"the whole log: {home.log}")
    assert isinstance(answer, dict)
    return answer


def _spawn(home: Home, report: int, options: list[str]) -> "subprocess.Popen[bytes]":
    argv = [sys.executable, "-m", "semafor.app.start", str(home.path), "--report", str(report), *options]
    # gRPC's care for forked children costs, and warns; the daemon's children all begin a program of their own.
    environment = os.environ | {"GRPC_ENABLE_FORK_SUPPORT": "0"}
    with home.log.open("ab") as log:
        return subprocess.Popen(
            [*argv, "--started", str(time.monotonic())],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[report],
            start_new_session=True,
        )


def _lacking(missing: "tuple[preflight.Missing, ...]") -> Failure:
    """All that this machine does not offer, each with what grants it."""
    lines = (f"  {each.what}: {each.why}\n    {each.fix}" for each in missing)
    return Failure("this machine lacks what pods need:\n" + "\n".join(lines))


def _first_line(report: TextIO, daemon: subprocess.Popen[bytes]) -> str:
    """What the daemon reports; a user who does not want to wait for it leaves no half-started mesh behind."""
    try:
        return report.readline()
    except KeyboardInterrupt:
        daemon.terminate()
        daemon.wait(timeout=_START_TIMEOUT_S)
        raise


def _tail(home: Home, lines: int = 12) -> str:
    return "\n".join(f"  {line}" for line in home.log.read_text(errors="replace").splitlines()[-lines:])
