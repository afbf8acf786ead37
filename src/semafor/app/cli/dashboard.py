"""`semafor dashboard`: the page in a browser, signed in by a link that works once."""

import html
import os
import webbrowser
from collections.abc import Mapping
from pathlib import Path

import click
import httpx

from semafor.app.cli import api, output
from semafor.app.cli.output import Failure
from semafor.app.home import Home

# The parts of the page, also by the names of the dashboards that istioctl would open for them.
VIEWS: Mapping[str, str] = {
    "overview": "/overview",
    "graph": "/graph",
    "workloads": "/workloads",
    "traces": "/search",
    "alerts": "/alerts",
    "mesh": "/mesh",
    "config": "/config",
    "kiali": "/graph",
    "jaeger": "/search",
    "grafana": "/workloads",
    "prometheus": "/alerts",
    "controlz": "/mesh",
}


@click.command()
@click.argument("view", type=click.Choice(tuple(VIEWS)), metavar="[VIEW]", required=False)
@click.option("--no-browser", is_flag=True, help="Print the link and open nothing.")
@output.format_option
def command(view: str | None, no_browser: bool, form: str) -> None:
    """Open the page in a browser, signed in. The link works once, for five minutes.

    VIEW is overview, graph, workloads, traces, alerts, mesh or config; or kiali, jaeger, grafana, prometheus or
    controlz, for the part of the page that stands in its place.

    \b
    Example:
      semafor dashboard --no-browser
      semafor dashboard jaeger
    """
    home = Home.find()
    page = api.report(home)["page"]
    link = f"{page}{VIEWS[view] if view else '/'}#link={_link(home)}"
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
