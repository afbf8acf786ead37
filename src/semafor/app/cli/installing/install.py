"""`semafor install`: what the mesh consists of. On one machine `up` has installed it already, as it was last."""

from typing import Any

import click

from semafor.app.cli import up
from semafor.app.cli.api import Api
from semafor.app.cli.installing import asked, carrying_out, elsewhere
from semafor.app.home import Home
from semafor.installation import Installation, spec

Doc = dict[str, Any]

_USUAL = "demo"


@click.command()
@asked.options
@elsewhere.options
@click.option("-y", "--skip-confirmation", is_flag=True, help="Ask nothing.")
@click.option("--dry-run", is_flag=True, help="Only say what is wrong with it.")
@click.option("--readiness-timeout", "timeout_s", default=300.0, show_default=True, metavar="SECONDS",
              help="How long to wait for its pods.")  # fmt: skip
def command(
    *, names: tuple[str, ...], settings: tuple[str, ...], revision: str, skip_confirmation: bool, dry_run: bool,
    timeout_s: float, where: elsewhere.Cluster,
) -> None:  # fmt: skip
    """Install the mesh, or change what it consists of; `semafor up` keeps it from then on.

    With --context or --kubeconfig: in that Kubernetes cluster, with images of `hub` and `tag`.

    What is not said has the value of the profile, or without one of the profile that is installed. Nothing is lost:
    pods of applications and rules stay as they are.

    \b
    Example:
      semafor install --set profile=demo -y
      semafor install --set components.egressGateways[0].enabled=false
      semafor install --context production --set hub=registry.example.com/semafor --set tag=0.1.0
      semafor install -f best-practices/gradual-adoption.yaml --set values.global.proxy.logLevel=info
    """
    wanted = asked.asked(names, settings, revision)
    if where:
        elsewhere.install(where, wanted, on_top=False, skip=skip_confirmation, dry_run=dry_run, timeout_s=timeout_s)
    else:
        _on_this_machine(wanted, skip=skip_confirmation, dry_run=dry_run, timeout_s=timeout_s)


def _on_this_machine(wanted: Doc, *, skip: bool, dry_run: bool, timeout_s: float) -> None:
    home = Home.find()
    known = None if home.running_pid() is None else carrying_out.stored(Api(home), spec.revision(wanted))
    if not wanted.get("profile") and not spec.revision(wanted):
        wanted = {"profile": (known or {}).get("spec", {}).get("profile", _USUAL), **wanted}
    made = asked.checked(wanted)
    if dry_run:
        print(f"This would install {described(made)}.")
        return
    if known and known["spec"] == wanted and (known.get("status") or {}).get("status") == "HEALTHY":
        by = "" if wanted.keys() - {"profile"} else ": `semafor up` did it"
        print(f"The mesh is installed already (profile {made.profile}){by}. Nothing to do.")
    else:
        asked.confirm(f"This will install {described(made)}. Proceed?", skip=skip)
        _install(home, wanted, made, timeout_s)
    print("Look: kubectl get pods -n istio-system")


def _install(home: Home, wanted: dict[str, object], made: Installation, timeout_s: float) -> None:
    report = up.ensure(home, profile="" if made.revision else made.profile)
    if not report["found"]:
        up.merge(home)
    carrying_out.carry_out(Api(home), wanted, timeout_s=timeout_s)
    started = "" if report["found"] else f" and ready after {report['seconds']:.1f} s"
    print(f"The mesh is installed ({_name(made)}){started}.")


def described(made: Installation) -> str:
    """The installation in words."""
    names = [component.name for component in made.components if component.kind != "base"]
    return f"{_name(made)} with {', '.join(names)}" if names else f"{_name(made)}, which consists of nothing"


def _name(made: Installation) -> str:
    return f"revision {made.revision}" if made.revision else f"profile {made.profile}"
