"""`semafor ca`: who signs the mesh's certificates, which roots are trusted, and how a new root takes over."""

import json
import secrets
from collections.abc import Callable
from typing import Any

import click

from semafor.app import authorities
from semafor.app.cli import output
from semafor.app.cli.api import Api
from semafor.app.cli.output import Failure
from semafor.app.home import Home
from semafor.resources.core import config_map

Document = dict[str, Any]
_PHASES = {
    "stable": "stable",
    "announcing": "announcing: every proxy learns the new root",
    "replacing": "replacing: every proxy gets a certificate of the new authority",
    "withdrawing": "withdrawing: every proxy forgets the old root",
}


@click.group()
def command() -> None:
    """Show the certificate authority, or have another root take over."""


@command.command()
@output.format_option
def status(form: str) -> None:
    """Say who signs, which roots are trusted, and how far a rotation is. Ends with 1 when a Secret was refused.

    \b
    Example:
      semafor ca status -o json
    """
    found = _status(Api(Home.find()))
    if not output.document(form, found):
        for line in _lines(found):
            print(line)
    if found["problem"]:
        raise click.exceptions.Exit(1)


@command.command()
@click.option("--wait/--no-wait", default=True, help="Wait until the old root is not trusted any more.")
@click.option("--timeout", "timeout_s", default=600.0, metavar="SECONDS", help="How long to wait.")
def rotate(*, wait: bool, timeout_s: float) -> None:
    """Replace the mesh's own root by a new one, while requests go on.

    Both roots are trusted until every proxy has a certificate of the new one. A rotation goes on after a restart.

    \b
    Example:
      semafor ca rotate
    """
    api = Api(Home.find())
    found = _status(api)
    if found["signer"]["source"] != "own":
        raise Failure(
            f"the authority is not ours, but {found['signer']['source']}: {found['signer']['subject']}",
            "to rotate a plugged-in one, put the next one into the Secret istio-system/cacerts; an intermediate of "
            "cert-manager or SPIRE is renewed by itself",
        )
    wish = secrets.token_hex(8)
    metadata = {"name": authorities.STATUS, "namespace": authorities.NAMESPACE}
    metadata["annotations"] = {authorities.ROTATE: wish}  # type: ignore[assignment]
    api.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    if not wait:
        print("The rotation has begun. How far it is: semafor ca status")
        return
    with output.waiting("rotating"):
        api.wait(_missing(api, wish), timeout_s=timeout_s, what="the rotation")
    now = _status(api)
    print(
        f"The root {found['signer']['id']} is replaced by {now['signer']['id']}; the old one is not trusted any more."
    )


def _missing(api: Api, wish: str) -> Callable[[], str]:
    def missing() -> str:
        found = _status(api)
        if found["rotation"] != wish:
            return "it has not begun yet"
        waiting = ", ".join(found["waitingFor"])
        return "" if found["phase"] == "stable" else _PHASES[found["phase"]] + (f"; missing: {waiting}" * bool(waiting))

    return missing


def _status(api: Api) -> Document:
    found = api.get(config_map.KIND, authorities.STATUS, authorities.NAMESPACE)
    if found is None:
        raise Failure("the certificate authority has not said yet how things stand", "try again in a moment")
    told = json.loads(found["data"]["status"])
    assert isinstance(told, dict)
    return told


def _lines(found: Document) -> list[str]:
    signer = found["signer"]
    lines = [
        f"signs         {signer['id']}  {signer['subject']} ({signer['source']}), until {signer['until']}",
        *(f"trusted       {root['id']}  {root['subject']}, until {root['until']}" for root in found["trusted"]),
        f"certificates  {found['certificates']}",
        f"phase         {_PHASES[found['phase']]}, since {found['since']}",
    ]
    if found["coming"]:
        lines.insert(1, f"coming        {found['coming']['id']}  {found['coming']['subject']}")
    lines += [f"waiting for   {name}" for name in found["waitingFor"]]
    if found["problem"]:
        lines.append(f"refused       {found['problem']}")
    return lines
