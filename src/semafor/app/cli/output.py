"""How commands speak: plain lines, colour only on a terminal, documents on request."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console


class Failure(click.ClickException):
    """The command failed: one sentence that says what, and one that says how to mend it. Exit code 1."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(f"{message}\n  {fix}" if fix else message)


format_option = click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(["text", "json", "yaml"]),
    default="text",
    help="The form of the output.",
)


def document(form: str, value: Any) -> bool:
    """Print the value as JSON or YAML; False when the form is text, which the command prints itself."""
    if form == "json":
        print(json.dumps(value, ensure_ascii=False))
    elif form == "yaml":
        import yaml

        print(yaml.safe_dump(value, sort_keys=False, allow_unicode=True), end="")
    return form != "text"


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print columns as istioctl does: each as wide as its longest text."""
    lines = [tuple(header), *(tuple(str(cell) for cell in row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("     ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def error(message: str) -> None:
    """A failure, on standard error."""
    _console().print(f"[red]error:[/red] {_escape(message)}")


def note(message: str) -> None:
    """Something worth knowing, on standard error so that it never mixes with parsed output."""
    _console().print(_escape(message))


@contextmanager
def waiting(message: str, *, quiet: bool = False) -> Iterator[None]:
    """Show that something takes time: a spinner on a terminal, nothing elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield
        return
    with _console().status(message):
        yield


def _console() -> "Console":
    """Loaded when there is something to say: it is a third of what every command loads."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def _escape(text: str) -> str:
    return text.replace("[", "\\[")
