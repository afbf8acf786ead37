"""`semafor analyze`: what is wrong with configuration, in files, in the mesh, or in both together."""

from collections.abc import Iterator
from typing import Any

import click

from semafor.app import mesh_config
from semafor.app.analysis import analyzing, message
from semafor.app.analysis.message import LEVELS, Level, Message
from semafor.app.analysis.reading import Source
from semafor.app.cli import output, sources
from semafor.app.cli.api import Api
from semafor.app.cli.output import Failure
from semafor.app.home import Home
from semafor.planner import Options
from semafor.planner.tables import KINDS
from semafor.resources.core import config_map, service_account
from semafor.resources.core import namespace as namespaces
from semafor.resources.kind import Kind

_FOUND = 79  # istioctl's, when something is as grave as the threshold
_THRESHOLD = click.Choice(LEVELS, case_sensitive=False)


@click.command()
@click.argument("paths", metavar="[FILE|DIR|-]...", nargs=-1)
@click.option("-A", "--all-namespaces", is_flag=True, help="Look at all namespaces.")
@click.option("-n", "--namespace", default="default", show_default=True, help="The namespace that is looked at.")
@click.option("-R", "--recursive", is_flag=True, help="Look into folders below DIR too.")
@click.option(
    "--use-kube",
    "-k",
    type=bool,
    is_flag=False,
    flag_value=True,
    default=True,
    show_default=True,
    help="Look at the objects of the mesh too; false looks at the files alone.",
)
@click.option("--failure-threshold", type=_THRESHOLD, default="Error", show_default=True, help="What ends with 79.")
@click.option("--output-threshold", type=_THRESHOLD, default="Info", show_default=True, help="What is shown.")
@click.option("-S", "--suppress", multiple=True, metavar="CODE=OBJECT", help="Leave out messages; may repeat.")
@click.option("-o", "--output", "form", type=click.Choice(["log", "json", "yaml"]), default="log", show_default=True)
def command(**options: Any) -> None:
    """Tell what is wrong with configuration: in files, folders and standard input (-), and in the mesh.

    The checker is the one that runs at `kubectl apply`; the codes are istioctl's. Ends with 79, as istioctl does, when
    a message is as grave as --failure-threshold, and with 1 when a file cannot be read.

    \b
    Example:
      semafor analyze -A
      semafor analyze overlays/prod --use-kube=false
      kubectl kustomize overlays/prod | semafor analyze - --failure-threshold Warning
    """
    given = tuple(sources.read(options["paths"], recursive=options["recursive"]))
    found = [each for each in _messages(given, options) if _counts(each, options)]
    shown = [each for each in found if message.is_at_least(each.level, options["output_threshold"])]
    if not output.document(_form(options["form"]), [each.document for each in shown]):
        _print(shown, options)
    if any(message.is_at_least(each.level, options["failure_threshold"]) for each in found):
        raise click.exceptions.Exit(_FOUND)


def _form(form: str) -> str:
    return "text" if form == "log" else form


def _messages(given: tuple[Source, ...], options: dict[str, Any]) -> tuple[Message, ...]:
    use_kube, namespace = options["use_kube"], options["namespace"]
    if not given and not use_kube:
        raise Failure("there is nothing to look at", "name files, or leave --use-kube=false out")
    home = Home.find()
    live, settings = _live(Api(home)) if use_kube else ((), Options())
    return analyzing.analyze(given, live, options=settings, namespace=namespace, is_live=use_kube)


def _live(api: Api) -> tuple[tuple[dict[str, Any], ...], Options]:
    """Everything that the checker reads, and the mesh's options."""
    kinds = dict.fromkeys((*KINDS, namespaces.KIND, service_account.KIND))
    objects = tuple(_typed(each, kind) for kind in kinds for each in api.objects(kind))
    found = api.get(config_map.KIND, mesh_config.NAME, mesh_config.NAMESPACE)
    try:
        settings, _ = mesh_config.of(found or {})
    except mesh_config.Unusable:
        return objects, Options()
    return objects, settings


def _typed(document: dict[str, Any], kind: Kind) -> dict[str, Any]:
    """The document with its kind, which the items of a list may leave out."""
    return {"apiVersion": kind.api_version(), "kind": kind.kind, **document}


def _counts(told: Message, options: dict[str, Any]) -> bool:
    """Whether it is about a namespace that is looked at, and not suppressed."""
    where = told.ref.name if told.ref.kind == "Namespace" else told.ref.namespace
    inside = options["all_namespaces"] or told.place or where in ("", options["namespace"])
    return bool(inside) and f"{told.code}={told.ref}" not in options["suppress"]


def _print(found: list[Message], options: dict[str, Any]) -> None:
    for each in found:
        print(each)
    where = "all namespaces" if options["all_namespaces"] else f"namespace: {options['namespace']}"
    if not found:
        print(f"No validation issues found when analyzing {where}.")
    elif any(message.is_at_least(each.level, options["failure_threshold"]) for each in found):
        output.error(f"issues were found when analyzing {where}: {', '.join(_counted(found))}")


def _counted(found: list[Message]) -> Iterator[str]:
    """`2 Error`, from the gravest to the least."""
    for level in reversed(LEVELS):
        if number := sum(each.level == level for each in found):
            yield f"{number} {_plural(level, number)}"


def _plural(level: Level, number: int) -> str:
    word = "note" if level == "Info" else level.lower()
    return word if number == 1 else f"{word}s"
