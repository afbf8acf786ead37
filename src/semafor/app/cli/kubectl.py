"""`semafor kubectl`: the installed kubectl, aimed at this mesh."""

import os
import shutil

import click

from semafor.app.cli.output import Failure
from semafor.app.home import Home


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Run the installed kubectl with the right context.

    \b
    Example:
      semafor kubectl get pods -A
    """
    home = Home.find()
    if home.running_pid() is None:
        raise Failure("no mesh is running here", "start it with: semafor up")
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        raise Failure("kubectl is not installed", "see https://kubernetes.io/docs/tasks/tools/")
    environment = os.environ | {"KUBECONFIG": str(home.kubeconfig)}
    os.execve(kubectl, ["kubectl", *arguments], environment)  # noqa: S606 - a fixed program, a list of arguments
