"""`semafor tag`: stable names for revisions, so that namespaces need no new label when a revision takes over."""

from typing import Any

import click
import yaml

from semafor.app import revisions
from semafor.app.cli import output
from semafor.app.cli.api import Api
from semafor.app.cli.installing import asked
from semafor.app.cli.output import Failure
from semafor.app.home import Home
from semafor.installation import machine, spec
from semafor.resources import marks
from semafor.resources.admissionregistration import webhooks
from semafor.resources.core import config_map, namespace

Doc = dict[str, Any]

_revision = click.option("--revision", "-r", required=True, help="The revision that the tag stands for.")


@click.group()
def command() -> None:
    """Give revisions stable names that namespaces can refer to: istio.io/rev=prod."""


@command.command("set")
@click.argument("name")
@_revision
@click.option("--overwrite", is_flag=True, help="Let a tag that is there stand for another revision from now on.")
def set_(name: str, revision: str, *, overwrite: bool) -> None:
    """Make a tag, or let it stand for another revision. `default` is what istio-injection=enabled means.

    \b
    Example:
      semafor tag set prod --revision canary
      semafor tag set prod --revision default --overwrite
    """
    api, _ = Api(Home.find()), _checked(name)
    known = _tags(api)
    if known.get(name, revision) != revision and not overwrite:
        raise Failure(f"the tag {name} stands for the revision {known[name]}", "let it stand for another: --overwrite")
    offer = revisions.offer(api.objects(config_map.KIND, spec.NAMESPACE), ())
    if revision not in offer.values:
        raise Failure(f"no revision {revision} is installed", f"there are: {', '.join(offer.values) or 'none'}")
    api.apply(machine.tag(name, revision))
    print(f'Revision tag "{name}" stands for the revision "{revision}".')
    print(f"For a namespace: kubectl label namespace <NAMESPACE> istio.io/rev={name}, and restart its pods.")


@command.command("generate")
@click.argument("name")
@_revision
def generate(name: str, revision: str) -> None:
    """Print the object of a tag, for `kubectl apply -f -`.

    \b
    Example:
      semafor tag generate prod --revision canary
    """
    print(yaml.safe_dump(machine.tag(_checked(name), revision), sort_keys=False), end="")


@command.command("list")
@output.format_option
def list_(form: str) -> None:
    """List the tags, what they stand for, and which namespaces use them.

    \b
    Example:
      semafor tag list
    """
    api = Api(Home.find())
    rows = [
        {"tag": name, "revision": revision, "namespaces": _namespaces(api, name)}
        for name, revision in sorted(_tags(api).items())
    ]
    if not output.document(form, rows):
        header = ("TAG", "REVISION", "NAMESPACES")
        output.table(header, [(each["tag"], each["revision"], ",".join(each["namespaces"])) for each in rows])


@command.command("remove")
@click.argument("name")
@click.option("-y", "--skip-confirmation", is_flag=True, help="Ask nothing.")
def remove(name: str, *, skip_confirmation: bool) -> None:
    """Remove a tag. Pods of namespaces that use it get no sidecar from then on.

    \b
    Example:
      semafor tag remove prod
    """
    api = Api(Home.find())
    if name not in _tags(api):
        raise Failure(f"there is no tag {name}")
    if used := _namespaces(api, name):
        asked.confirm(f"The tag {name} is used by {', '.join(used)}. Proceed?", skip=skip_confirmation)
    for each in api.objects(webhooks.MUTATING, labels=f"{machine.TAG}={name}"):
        api.delete(webhooks.MUTATING, each["metadata"]["name"])
    print(f'Revision tag "{name}" is removed.')


def _tags(api: Api) -> dict[str, str]:
    return revisions.tags(api.objects(webhooks.MUTATING, labels=machine.TAG))


def _namespaces(api: Api, name: str) -> list[str]:
    labels = f"istio.io/rev={name}" if name != revisions.DEFAULT else "istio-injection=enabled"
    return [each["metadata"]["name"] for each in api.objects(namespace.KIND, labels=labels)]


def _checked(name: str) -> str:
    if why := marks.DNS_LABEL.test(name):
        raise click.UsageError(f"{name!r} is no name for a tag: {why}")
    return name
