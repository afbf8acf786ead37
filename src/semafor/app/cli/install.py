"""`semafor install`: on one machine the mesh is installed by `up`; this says so, and sees to it."""

import click

from semafor.app.cli import up
from semafor.app.cli.output import Failure
from semafor.app.home import Home

_KNOWN = {"profile": ("demo", "default", "minimal")}


@click.command()
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="A setting; `profile` is known on one machine."
)
@click.option("-y", "--skip-confirmation", is_flag=True, help="Ask nothing (one machine never asks).")
def command(*, settings: tuple[str, ...], skip_confirmation: bool) -> None:  # noqa: ARG001 - istioctl's flag
    """Install the mesh. On one machine `semafor up` has done it; if it does not run yet, it is started.

    \b
    Example:
      semafor install --set profile=demo -y
    """
    profile = _profile(settings)
    home = Home.find()
    report = up.ensure(home, profile=profile)
    if not report["found"]:
        up.merge(home)
        print(f"The mesh is installed (profile {profile}) and ready after {report['seconds']:.1f} s.")
    elif report["profile"] == profile:
        print(f"The mesh is installed already (profile {profile}): `semafor up` did it. Nothing to do.")
    else:
        raise Failure(
            f"the mesh runs with profile {report['profile']}",
            f"to change it: semafor down && semafor up --profile {profile}",
        )
    print("Look: kubectl get pods -n istio-system")


def _profile(settings: tuple[str, ...]) -> str:
    profile = "demo"
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or key not in _KNOWN:
            raise click.UsageError(f"--set {setting}: on one machine only profile=... is known")
        if value not in _KNOWN[key]:
            raise click.UsageError(f"--set {setting}: the profiles are {', '.join(_KNOWN[key])}")
        profile = value
    return profile
