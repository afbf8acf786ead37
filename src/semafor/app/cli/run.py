"""`semafor run -- CMD`: a local command as a meshed pod."""

import os
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import click

from semafor.app import kubeconfig
from semafor.app.cli import terminal, up
from semafor.app.cli.api import Api, path
from semafor.app.cli.output import Failure
from semafor.app.home import Home
from semafor.kube.images import host
from semafor.resources.core import pod as pods

IMAGE = "semafor/host"
# The command starts when its terminal has joined, which sends an empty line, so that none of its output is missed.
_WAIT_FOR_US = ("/bin/sh", "-c", 'IFS= read -r _; exec "$@"', "semafor run")
_START_TIMEOUT_S = 60.0
_END_TIMEOUT_S = 10.0
# What of the user's environment would be wrong inside: the pod has names and folders of its own.
_NOT_PASSED = frozenset({"HOSTNAME", "PWD", "OLDPWD", "SHLVL", "_", "TMPDIR", "SSH_AUTH_SOCK", "XDG_RUNTIME_DIR"})


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--name", help="Name of the pod and its label `app` (default: from the command).")
@click.option("-n", "--namespace", default="default", show_default=True)
@click.option("--no-sidecar", is_flag=True, help="Run without a sidecar.")
@click.option(
    "-e", "--env", "environment", multiple=True, metavar="KEY=VALUE", help="A variable for the command; may repeat."
)
@click.argument("argv", nargs=-1, required=True, type=click.UNPROCESSED)
def command(
    *, name: str | None, namespace: str, no_sidecar: bool, environment: tuple[str, ...], argv: tuple[str, ...]
) -> None:
    """Run a local command as a meshed pod, in the current folder, with this terminal.

    The command sees this folder, this machine's programs and the environment, and reaches the services of the mesh by
    their names. The pod is removed when the command ends; its exit code is ours.

    \b
    Example:
      semafor run -- python client.py
      semafor run --name worker -- python -m worker --fast
    """
    home = Home.find()
    up.ensure(home)
    api = Api(home)
    pod = _pod(name or _name(argv), namespace, argv, _given(environment))
    pod["metadata"]["labels"]["sidecar.istio.io/inject"] = str(not no_sidecar).lower()
    created = api.create(pods.KIND, pod)
    where = path(pods.KIND, namespace, created["metadata"]["name"])
    try:
        api.wait(lambda: _waits(api, created), timeout_s=_START_TIMEOUT_S, what="starting the pod")
        access = kubeconfig.access(kubeconfig.read(home.kubeconfig))
        terminal.attach(access, f"{where}/attach", interactive=pod["spec"]["containers"][0]["tty"])
        code = _exit_code(api, created)
    finally:
        api.delete(pods.KIND, created["metadata"]["name"], namespace)
    sys.exit(code)


def _pod(name: str, namespace: str, argv: tuple[str, ...], environment: dict[str, str]) -> dict[str, Any]:
    folder, interactive = str(Path.cwd()), sys.stdin.isatty() and sys.stdout.isatty()
    shown = list(dict.fromkeys((folder, *_program_folders(argv[0], environment))))
    container = {
        "name": "main",
        "image": IMAGE,
        "command": [*_WAIT_FOR_US, *argv],
        "workingDir": folder,
        "stdin": True,
        "stdinOnce": True,
        "tty": interactive,
        "env": [{"name": key, "value": value} for key, value in environment.items()],
        "volumeMounts": [{"name": f"host-{i}", "mountPath": each} for i, each in enumerate(shown)],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"generateName": f"{name}-", "namespace": namespace, "labels": {"app": name}},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 2,
            "containers": [container],
            "volumes": [{"name": f"host-{i}", "hostPath": {"path": each}} for i, each in enumerate(shown)],
        },
    }


def _name(argv: tuple[str, ...]) -> str:
    """A pod name from the command: `python client.py` is `client`."""
    words = [Path(word).stem for word in argv if not word.startswith("-")]
    word = words[1] if len(words) > 1 and words[0].startswith(("python", "node")) else words[0]
    cleaned = re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-")
    return cleaned[:40] or "run"


def _given(pairs: tuple[str, ...]) -> dict[str, str]:
    """The user's environment, and over it what --env says."""
    environment = {key: value for key, value in os.environ.items() if key not in _NOT_PASSED}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise click.UsageError(f"--env {shlex.quote(pair)}: write KEY=VALUE")
        environment[key] = value
    return environment


def _program_folders(program: str, environment: dict[str, str]) -> list[str]:
    """What the program needs that is not in the system's folders: its own prefix, the active virtual environment's.

    Of a program in ~/bin that is the folder itself, never the whole home. What is below the current folder is shown
    with it.
    """
    venv = environment.get("VIRTUAL_ENV", "")
    programs = (shutil.which(program, path=environment.get("PATH")), venv and shutil.which(f"{venv}/bin/python"))
    pairs = [(name, pair) for name in filter(None, programs) for pair in host.prefixes(name)]
    found = (str(Path(name).parent) if Path(each) == Path.home() else each for name, pair in pairs for each in pair)
    return [each for each in found if not Path(each).is_relative_to(Path.cwd())]


def _exit_code(api: Api, pod: dict[str, Any]) -> int:
    """How the command ended, as the pod's status says it shortly after the terminal was let go."""

    def missing() -> str:
        return "" if "terminated" in _state(api, pod) else "its command has not ended"

    api.wait(missing, timeout_s=_END_TIMEOUT_S, what="ending the pod")
    return int(_state(api, pod)["terminated"]["exitCode"])


def _state(api: Api, pod: dict[str, Any]) -> dict[str, Any]:
    """The state of the command's container, {} before it has one."""
    metadata = pod["metadata"]
    now = api.get(pods.KIND, metadata["name"], metadata["namespace"])
    if now is None:
        raise Failure(f"the pod {metadata['name']} was deleted by someone else")
    statuses = now.get("status", {}).get("containerStatuses", [])
    return next((status["state"] for status in statuses if status["name"] == "main"), {})


def _waits(api: Api, pod: dict[str, Any]) -> str:
    """What the pod is still waiting for; "" once its command runs or has ended."""
    state = _state(api, pod)
    if "running" in state or "terminated" in state:
        return ""
    waiting = state.get("waiting", {})
    if waiting.get("reason") in (
        "ErrImageNeverPull",
        "CreateContainerError",
        "CreateContainerConfigError",
        "RunContainerError",
    ):
        raise Failure(waiting.get("message") or waiting["reason"])
    return str(waiting.get("reason", "the pod is not scheduled yet"))
