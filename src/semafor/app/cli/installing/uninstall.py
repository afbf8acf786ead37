"""`semafor uninstall`: the control plane and the gateways go, the applications and their rules stay."""

from typing import Any

import click

from semafor.app.cli.api import Api
from semafor.app.cli.installing import asked, elsewhere
from semafor.app.cli.output import Failure, waiting
from semafor.app.home import Home
from semafor.installation import parts, spec
from semafor.resources.admissionregistration import webhooks
from semafor.resources.apps import deployment
from semafor.resources.core import pod
from semafor.resources.install import istio_operator

Doc = dict[str, Any]

_TIMEOUT_S = 120


@click.command()
@click.option("--revision", "-r", default="", help="The revision that goes; `default` is the one without a name.")
@click.option("--filename", "-f", "files", multiple=True, metavar="FILE", help="A file whose revision goes.")
@click.option("--purge", is_flag=True, help="Every revision, and all tags.")
@click.option("-y", "--skip-confirmation", is_flag=True, help="Ask nothing.")
@elsewhere.options
def command(
    *, revision: str, files: tuple[str, ...], purge: bool, skip_confirmation: bool, where: elsewhere.Cluster
) -> None:
    """Take away the control plane and the gateways. Applications, rules and certificates stay.

    The next `semafor up` does not bring them back; `semafor install` does. What remains is the cluster: its pods run,
    and new ones get no sidecar.

    \b
    Example:
      semafor uninstall --revision canary
      semafor uninstall --purge -y
    """
    if not (revision or files or purge):
        raise click.UsageError("say which: --revision NAME, -f FILE, or --purge for everything")
    wanted = None if purge else spec.revision(asked.asked(files, (), revision))
    if where:
        elsewhere.uninstall(where, wanted, skip=skip_confirmation)
        return
    api = Api(Home.find())
    every = api.objects(istio_operator.KIND)
    found = [each for each in every if wanted in (None, spec.revision(each.get("spec") or {}))]
    if not found:
        raise Failure("nothing of it is installed", "what there is: kubectl get istiooperators -A")
    asked.confirm(_question(api, wanted), skip=skip_confirmation)
    for each in found:
        api.delete(istio_operator.KIND, each["metadata"]["name"], each["metadata"]["namespace"])
    if purge:
        _remove_tags(api)
    with waiting("uninstalling"):
        api.wait(lambda: _left(api, wanted), timeout_s=_TIMEOUT_S, what="uninstalling")
    print("✔ Uninstall complete")


def _question(api: Api, revision: str | None) -> str:
    labels = f"{parts.OWNER}={spec.owner(revision)}" if revision is not None else parts.OWNER
    going = [each["metadata"]["name"] for each in api.objects(deployment.KIND, labels=labels)]
    word = revision or "default"
    held = [
        f"{each['metadata']['name']}.{each['metadata']['namespace']}"
        for each in api.objects(pod.KIND)
        if "sidecar.istio.io/status" in (of := each["metadata"].get("annotations") or {})
        and (revision is None or of.get("istio.io/rev") == word)
    ]
    lines = [f"These go: {', '.join(going) or 'settings alone'}."]
    if held:
        lines.append(f"{len(held)} pods have a sidecar of this revision; they keep it: {', '.join(held[:5])}.")
    return " ".join([*lines, "Proceed?"])


def _remove_tags(api: Api) -> None:
    for each in api.objects(webhooks.MUTATING, labels="istio.io/tag"):
        api.delete(webhooks.MUTATING, each["metadata"]["name"])


def _left(api: Api, revision: str | None) -> str:
    labels = f"{parts.OWNER}={spec.owner(revision)}" if revision is not None else parts.OWNER
    left = [each["metadata"]["name"] for each in api.objects(deployment.KIND, labels=labels)]
    return f"{', '.join(left)} is still there" if left else ""
