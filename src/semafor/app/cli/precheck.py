"""`semafor precheck`: whether this machine can carry a mesh."""

import sys

import click

from semafor.app.cli import output
from semafor.kube.node import preflight


@click.command()
@output.format_option
def command(form: str) -> None:
    """Tell whether this machine has what a mesh needs. Ends with 1 when something is missing.

    \b
    Example:
      semafor precheck
    """
    missing = [{"why": each.why, "fix": each.fix} for each in preflight.check()]
    if not output.document(form, missing):
        for each in missing:
            print(f"Error {each['why']}\n  {each['fix']}")
        if not missing:
            print(f"No issues found: this machine ({sys.platform}) can carry a mesh.")
    if missing:
        raise click.exceptions.Exit(1)
