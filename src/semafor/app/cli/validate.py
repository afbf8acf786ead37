"""`semafor validate`: whether files hold objects with right fields, without a look at anything else."""

import click

from semafor.app.analysis import analyzing, message
from semafor.app.cli import output, sources
from semafor.app.cli.output import Failure


@click.command()
@click.option("-f", "--filename", "names", multiple=True, metavar="FILE|DIR|-", help="What is looked at; may repeat.")
@click.option("-R", "--recursive", is_flag=True, help="Look into folders below DIR too.")
@output.format_option
@click.argument("paths", metavar="[FILE|DIR|-]...", nargs=-1)
def command(names: tuple[str, ...], recursive: bool, form: str, paths: tuple[str, ...]) -> None:
    """Tell what is wrong with the fields of the objects in files; nothing needs to run.

    Ends with 1 when a field is wrong. For mistakes between objects: semafor analyze.

    \b
    Example:
      semafor validate -f virtual-service.yaml
      kubectl kustomize overlays/prod | semafor validate -
    """
    if not (names or paths):
        raise click.UsageError("name a file: semafor validate -f FILE")
    given = tuple(sources.read((*names, *paths), recursive=recursive))
    if not given:
        raise Failure("there is no object in what was given", "objects have apiVersion and kind")
    found = [told for source in given for told in analyzing.validate(source)]
    if not output.document(form, [each.document for each in found]):
        for each in found:
            print(each)
        if not found:
            print(f"{len(given)} {'object is' if len(given) == 1 else 'objects are'} valid")
    if any(message.is_at_least(each.level, "Error") for each in found):
        raise click.exceptions.Exit(1)
