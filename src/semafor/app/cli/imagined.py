"""The options of commands that ask about an imagined request."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Doc = dict[str, Any]
F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option("-H", "--header", "headers", multiple=True, metavar="NAME:VALUE", help="A header; may repeat."),
    click.option(
        "--jwt-claims",
        "claims",
        metavar="JSON",
        help="The payload of a valid token that the request carries; @FILE reads it from a file.",
    ),
)


def options(command: F) -> F:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def headers(given: tuple[str, ...]) -> list[tuple[str, str]]:
    """`Name: value` as pairs; names are lower case, as they arrive."""
    found = []
    for text in given:
        name, colon, value = text.partition(":")
        if not colon or not name.strip():
            raise click.UsageError(f"a header is NAME:VALUE, and this is none: {text}")
        found.append((name.strip().lower(), value.strip()))
    return found


def claims(given: str | None) -> Doc | None:
    """The payload of the token, if there is one."""
    if given is None:
        return None
    text = Path(given[1:]).read_text() if given.startswith("@") else given
    try:
        found = json.loads(text)
    except ValueError as error:
        raise click.UsageError(f"the claims are no JSON: {error}") from error
    if not isinstance(found, dict):
        raise click.UsageError('the claims are a JSON object, such as {"iss": "https://issuer.example"}')
    return found
