"""`semafor build`: an image from a Dockerfile, with the words that Docker's users know."""

import asyncio
import os
import sys
import time
from pathlib import Path

import click
from rich.console import Console

from semafor.app.cli import output
from semafor.app.cli.output import Failure
from semafor.app.home import Home
from semafor.kube.images.builder import Event
from semafor.kube.images.errors import ImageError
from semafor.kube.images.library import Images


@click.command()
@click.option("-t", "--tag", required=True, metavar="NAME[:TAG]", help="The image's name.")
@click.option(
    "-f", "--file", "dockerfile", type=click.Path(path_type=Path), help="The Dockerfile (default: FOLDER/Dockerfile)."
)
@click.option("--build-arg", "arguments", multiple=True, metavar="KEY=VALUE", help="A value for an ARG; may repeat.")
@click.option("-q", "--quiet", is_flag=True, help="Print the image's id alone.")
@output.format_option
@click.argument("folder", type=click.Path(path_type=Path))
def command(
    *, tag: str, dockerfile: Path | None, arguments: tuple[str, ...], quiet: bool, form: str, folder: Path
) -> None:
    """Build an image from the Dockerfile in FOLDER. Pods of the mesh can use it at once.

    \b
    Example:
      semafor build -t service-1:latest service-1/
      semafor build -t model:v2 --build-arg VERSION=v2 model/
    """
    home = Home.find()
    home.create()
    progress = _Progress(quiet=quiet or form != "text")
    images = Images(home.images, os.environ)
    began = time.monotonic()
    try:
        work = images.build(folder, dockerfile=dockerfile, tag=tag, args=_pairs(arguments), progress=progress)
        image = asyncio.run(work)
    except ImageError as error:
        raise Failure(str(error)) from error
    finally:
        progress.end()
    seconds = time.monotonic() - began
    if output.document(
        form, {"ref": image.ref, "id": image.id, "sizeBytes": image.size_bytes, "seconds": round(seconds, 3)}
    ):
        return
    name = image.ref.removeprefix("docker.io/").removeprefix("library/")
    size = f"{image.size_bytes / 1e6:.1f} MB over this machine's files"
    print(image.id if quiet else f"built {name} in {seconds:.1f} s ({size})")


def _pairs(arguments: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not key or (not equals and key not in os.environ):
            raise click.UsageError(f"--build-arg {argument}: write KEY=VALUE")
        pairs[key] = value if equals else os.environ[key]
    return pairs


class _Progress:
    """A line for each step; on a terminal the newest line of output below it, elsewhere all of them."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._status = self._console.status("") if sys.stderr.isatty() and not quiet else None

    def __call__(self, event: Event) -> None:
        if self._quiet:
            return
        match event.kind:
            case "step":
                self._begin(event.text)
            case "cached":
                self._print(f"  cached  {event.text}")
            case "done":
                self._print(f"{event.seconds:6.1f} s  {event.text}")
            case "note":
                self._print(f"    note  {event.text}")
            case "output" if self._status:
                self._status.update(f"[dim]{event.text[-100:].replace('[', chr(92) + '[')}")
            case _:
                self._print(f"          {event.text}")

    def end(self) -> None:
        if self._status:
            self._status.stop()

    def _begin(self, text: str) -> None:
        if self._status:
            self._status.update(text.replace("[", "\\["))
            self._status.start()

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False)
