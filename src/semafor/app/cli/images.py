"""`semafor images`: what pods can be started from."""

import time

import click
from rich.console import Console
from rich.table import Table

from semafor.app.cli import output
from semafor.app.cli.output import Failure
from semafor.app.home import Home
from semafor.kube.images import catalogue
from semafor.kube.images.library import Images


@click.command()
@click.option("--remove", metavar="NAME[:TAG]", help="Forget a built image.")
@output.format_option
def command(*, remove: str | None, form: str) -> None:
    """List the images that were built, and the well-known ones that this machine stands in for.

    \b
    Example:
      semafor images
      semafor images --remove service-1:latest
    """
    images = Images(Home.find().images)
    if remove:
        if not images.remove(remove):
            raise Failure(f"there is no built image {remove}", "see: semafor images")
        images.collect(unused_for_s=0)
        print(f"removed {remove}")
        return
    built = images.list()
    rows = [
        {"ref": image.ref, "id": image.id, "builtAt": image.built_at, "sizeBytes": image.size_bytes} for image in built
    ]
    if output.document(form, {"built": rows, "known": list(catalogue.names())}):
        return
    table = Table("IMAGE", "ID", "AGE", "SIZE", box=None, pad_edge=False)
    for image in built:
        age = _age(time.time() - image.built_at)
        table.add_row(image.ref, image.id.removeprefix("sha256:")[:12], age, f"{image.size_bytes / 1e6:.1f} MB")
    console = Console(highlight=False)
    console.print(table if built else "No image has been built here yet: semafor build -t NAME FOLDER")
    console.print(f"\nWell-known, with this machine's own programs: {', '.join(catalogue.names())}", soft_wrap=True)


def _age(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds // size:.0f}{unit}"
    return f"{seconds:.0f}s"
