"""`semafor profile`: the sets of settings that an installation starts from."""

import sys
from typing import Any

import click
import yaml

from semafor.app.cli.installing import asked, shown
from semafor.app.cli.output import Failure
from semafor.installation import diff, spec

Doc = dict[str, Any]


@click.group()
def command() -> None:
    """Show the profiles: the sets of settings that an installation starts from."""


@command.command("list")
def names() -> None:
    """List the profiles.

    \b
    Example:
      semafor profile list
    """
    print("Semafor's configuration profiles:")
    for name in sorted(spec.PROFILES):
        print(f"    {name}")


@command.command("dump")
@click.argument("name", required=False, default="")
@asked.options
def dump(*, name: str, names: tuple[str, ...], settings: tuple[str, ...], revision: str) -> None:
    """Print a profile as an IstioOperator, with what files and settings change in it.

    \b
    Example:
      semafor profile dump demo
      semafor profile dump --set profile=minimal --set meshConfig.accessLogFile=/dev/stdout
    """
    wanted = asked.asked(names, settings, revision)
    made = asked.checked({**wanted, "profile": name} if name else wanted)
    document = {"apiVersion": f"{spec.GROUP}/v1alpha1", "kind": "IstioOperator", "spec": dict(made.spec)}
    print(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), end="")


@command.command("diff")
@click.argument("before")
@click.argument("after")
def difference(before: str, after: str) -> None:
    """Tell how two profiles, or files with an IstioOperator, differ. Ends with 1 when they do.

    \b
    Example:
      semafor profile diff default demo
    """
    found = tuple(diff.fields(_spec(before), _spec(after), "spec"))
    if not found:
        print("The profiles are the same.")
        return
    shown.show([diff.Difference("IstioOperator", "changed", found)])
    sys.exit(1)


def _spec(name: str) -> Doc:
    if name in spec.PROFILES:
        return spec.profile(name)
    if not name.endswith((".yaml", ".yml")):
        raise Failure(f"there is no profile {name}", f"the profiles are {', '.join(spec.PROFILES)}")
    return dict(asked.checked(asked.asked((name,), ())).spec)
