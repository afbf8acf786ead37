"""`semafor proxy-status`: which proxies are connected, and whether they have everything."""

from typing import Any

import click

import semafor
from semafor.app.cli import output, workloads
from semafor.app.cli.api import Api
from semafor.app.home import Home

Doc = dict[str, Any]

_CLUSTER = "Kubernetes"  # Istio's name of the one cluster
_ORDER = ("CDS", "LDS", "EDS", "RDS", "ECDS")


@click.command()
@click.argument("pod", metavar="[POD]", required=False)
@click.option("-n", "--namespace", help="Only proxies of this namespace (for POD: where it is).")
@click.option("-v", "--verbose", is_flag=True, help="Show each type of resources by itself.")
@output.format_option
def command(pod: str | None, namespace: str | None, verbose: bool, form: str) -> None:
    """Say which proxies are connected, which types of resources they ask for, and whether they have everything.

    Ends with 1 when a proxy is not connected or lacks something.

    \b
    Example:
      semafor proxy-status
      semafor proxy-status deploy/agent -v
    """
    api = Api(Home.find())
    rows = sorted(api.ask("proxies"), key=lambda each: each["proxy"])
    if pod:
        metadata = workloads.pod(api, pod, namespace or "default")["metadata"]
        rows = [each for each in rows if each["proxy"] == f"{metadata['name']}.{metadata['namespace']}"]
    elif namespace:
        rows = [each for each in rows if each["proxy"].endswith(f".{namespace}")]
    if not output.document(form, rows):
        _print(rows, verbose=verbose)
    if not rows or any(_live(each) != "yes" for each in rows):
        raise click.exceptions.Exit(1)


def _print(rows: list[Doc], *, verbose: bool) -> None:
    if not rows:
        print("No proxy is known. Is istio-injection enabled for the namespace?")
        return
    version = f"{semafor.__version__}-semafor"
    if verbose:
        cells = ((each["proxy"], _CLUSTER, *_states(each), "istiod", version, _live(each)) for each in rows)
        output.table(("NAME", "CLUSTER", *_ORDER, "ISTIOD", "VERSION", "LIVE"), cells)
        return
    plain = ((each["proxy"], _CLUSTER, "istiod", version, _types(each), _live(each)) for each in rows)
    output.table(("NAME", "CLUSTER", "ISTIOD", "VERSION", "SUBSCRIBED TYPES", "LIVE"), plain)


def _states(row: Doc) -> list[str]:
    return [row["types"].get(name, "IGNORED") for name in _ORDER]


def _types(row: Doc) -> str:
    found = [name for name in _ORDER if name in row["types"]]
    return f"{len(found)} ({','.join(found)})" if found else "0"


def _live(row: Doc) -> str:
    """Whether the proxy has everything that the mesh says now."""
    if not row["connected"]:
        return "not connected"
    refused = [name for name, state in row["types"].items() if state == "ERROR"]
    if refused:
        return f"refuses some {', '.join(refused)}"
    return f"{row['behind']} behind" if row["behind"] else "yes"
