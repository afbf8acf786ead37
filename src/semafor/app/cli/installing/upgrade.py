"""`semafor upgrade`: this version takes over from the one that runs, with what is installed."""

import click

import semafor
from semafor.app.cli import down, up
from semafor.app.cli.api import Api
from semafor.app.cli.installing import asked, carrying_out, elsewhere, install
from semafor.app.home import Home
from semafor.installation import spec


@click.command()
@asked.options
@elsewhere.options
@click.option("-y", "--skip-confirmation", is_flag=True, help="Ask nothing.")
@click.option("--readiness-timeout", "timeout_s", default=300.0, show_default=True, metavar="SECONDS",
              help="How long to wait for its pods.")  # fmt: skip
def command(
    *, names: tuple[str, ...], settings: tuple[str, ...], revision: str, skip_confirmation: bool, timeout_s: float,
    where: elsewhere.Cluster,
) -> None:  # fmt: skip
    """Bring the mesh that runs to the version of this command, and to further settings if there are any.

    What is installed stays as it is but for these. Applications start again with the mesh when its version changes,
    and with `kubectl rollout restart` when they shall have sidecars of the new settings.

    \b
    Example:
      semafor upgrade -y
      semafor upgrade --set meshConfig.accessLogEncoding=JSON
    """
    if where:
        more = asked.asked(names, settings, revision)
        elsewhere.install(where, more, on_top=True, skip=skip_confirmation, dry_run=False, timeout_s=timeout_s)
        return
    home = Home.find()
    report = up.ensure(home)
    known = carrying_out.stored(Api(home), revision)
    wanted = asked.over((known or {}).get("spec") or {}, names, settings, revision)
    made = asked.checked(wanted)
    running, here = report.get("version", ""), semafor.__version__
    words = f"from {running or 'an older version'} to {here}" if running != here else f"at {here}"
    asked.confirm(
        f"This will upgrade the mesh {words}, with {install.described(made)}. Proceed?", skip=skip_confirmation
    )
    if running != here:
        down.stop(home)
        up.ensure(home)
    carrying_out.carry_out(Api(home), wanted, timeout_s=timeout_s)
    print(f"The mesh is {'upgraded to' if running != here else 'at version'} {here}, with {install.described(made)}.")
    if not spec.revision(wanted):
        print(
            "Sidecars that are there keep the settings they were made with: kubectl rollout restart deployment -n ..."
        )
