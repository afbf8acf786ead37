"""`semafor up`: start the daemon, or find it."""

import json
import os
import subprocess
import sys
import time
from typing import Any

import click

from semafor.app import kubeconfig
from semafor.app.cli import output
from semafor.app.cli.output import Failure
from semafor.app.home import Home
from semafor.kube.node import preflight

_START_TIMEOUT_S = 60


@click.command()
@click.option("--no-kubeconfig", is_flag=True, help="Leave the user's kubeconfig alone; use the one in the home.")
@click.option("--profile", type=click.Choice(["demo", "default", "minimal"]), default="demo", show_default=True,
              help="Which gateways run: demo both, default the ingress gateway, minimal none.")  # fmt: skip
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port of the API on 127.0.0.1 (0: choose once, keep it)."
)
@output.format_option
def command(*, no_kubeconfig: bool, profile: str, port: int, form: str) -> None:
    """Start the mesh, or find the one that runs.

    \b
    Example:
      semafor up
      kubectl get nodes
    """
    home = Home.find()
    report = ensure(home, profile=profile, port=port, quiet=form != "text")
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
    print("Next: kubectl label namespace default istio-injection=enabled, then kubectl apply -f ...; or: semafor demo")


def ensure(home: Home, *, profile: str = "demo", port: int = 0, quiet: bool = False) -> dict[str, Any]:
    """Start the daemon of `home` unless it runs; return where it is. Raises Failure with the daemon's reason."""
    if home.running_pid() is not None and home.state.exists():
        return {"found": True, **json.loads(home.state.read_text())}
    try:
        home.create()
    except OSError as error:
        raise Failure(f"the state folder cannot be used: {error}", "choose another folder with SEMAFOR_HOME") from error
    with output.waiting("starting the mesh", quiet=quiet):
        _check_machine(home)
        return {"found": False, **_start(home, profile=profile, port=port)}


def _check_machine(home: Home) -> None:
    """Raises Failure that names all that this machine does not offer, each with what grants it."""
    missing = preflight.check(home.path)
    if missing:
        lines = (f"  {each.what}: {each.why}\n    {each.fix}" for each in missing)
        raise Failure("this machine lacks what pods need:\n" + "\n".join(lines))


def merge(home: Home) -> None:
    """Put our context into the user's kubeconfig and make it current."""
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
    """Start the daemon in a session of its own and read its report: one JSON line, ready or refused."""
    began = time.monotonic()
    reader, writer = os.pipe()
    argv = [sys.executable, "-m", "semafor.app.daemon", str(home.path), "--report", str(writer)]
    argv += ["--profile", profile, "--port", str(port), "--started", str(began)]
    with home.log.open("ab") as log, os.fdopen(reader) as report:
        # gRPC's care for forked children costs, and warns; the daemon's children all begin a program of their own.
        environment = os.environ | {"GRPC_ENABLE_FORK_SUPPORT": "0"}
        daemon = subprocess.Popen(
            argv,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[writer],
            start_new_session=True,
        )
        os.close(writer)
        line = report.readline()
    if not line:
        daemon.wait(timeout=_START_TIMEOUT_S)
        raise Failure(f"the daemon ended before it was ready:\n{_tail(home)}", f"the whole log: {home.log}")
    answer = json.loads(line)
    if "error" in answer:
        raise Failure(answer["error"], answer.get("fix", ""))
    assert isinstance(answer, dict)
    return answer


def _tail(home: Home, lines: int = 12) -> str:
    return "\n".join(f"  {line}" for line in home.log.read_text(errors="replace").splitlines()[-lines:])
