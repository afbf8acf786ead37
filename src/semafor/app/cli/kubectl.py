"""`semafor kubectl`: the installed kubectl, aimed at this mesh."""

import os
import shutil

import click

from semafor.app.cli.output import Failure
from semafor.app.home import Home


class _Verbatim(click.Command):
    """Takes everything behind its name as it stands, `--` and `--help` included."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.args = args
        return []


@click.command(cls=_Verbatim)
@click.pass_context
def command(context: click.Context) -> None:
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
    os.execve(kubectl, ["kubectl", *context.args], environment)  # noqa: S606 - a fixed program, a list of arguments
