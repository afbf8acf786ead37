"""`semafor dashboard`: the page in a browser, signed in by a link that works once."""

import html
import os
import webbrowser
from pathlib import Path

import click
import httpx

from semafor.app.cli import api, output
from semafor.app.cli.output import Failure
from semafor.app.home import Home


@click.command()
@click.option("--no-browser", is_flag=True, help="Print the link and open nothing.")
@output.format_option
def command(no_browser: bool, form: str) -> None:
    """Open the page in a browser, signed in. The link works once, for five minutes.

    \b
    Example:
      semafor dashboard --no-browser
    """
    home = Home.find()
    page = api.report(home)["page"]
    link = f"{page}/#link={_link(home)}"
    if output.document(form, {"page": page, "link": link}):
        return
    print(f"page      {link}")
    print("          works once, for 5 minutes; another one: semafor dashboard")
    if not no_browser and _has_browser():
        webbrowser.open(_opener(home, link).as_uri())


def _link(home: Home) -> str:
    """A new link's secret, from the daemon's own socket."""
    socket = str(home.sockets / "links.sock")
    try:
        with httpx.Client(transport=httpx.HTTPTransport(uds=socket), base_url="http://daemon") as http:
            return str(http.post("/link").raise_for_status().json()["link"])
    except httpx.HTTPError as error:
        raise Failure(f"the mesh does not answer: {error}", "it may be starting or stopping; try again") from error


def _opener(home: Home, link: str) -> Path:
    """A file that leads to the link: other users of the machine can read what programs are started with."""
    path = home.sockets / "dashboard.html"
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(
        f'<!doctype html><meta http-equiv="refresh" content="0; url={html.escape(link)}"><title>Semafor</title>'
    )
    return path


def _has_browser() -> bool:
    """Whether a window could open: a browser of the terminal would take the terminal away."""
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME", "BROWSER"))
