"""`semafor metrics`: how workloads do at this moment."""

from typing import Any

import click

from semafor.app.cli import output, workloads
from semafor.app.cli.api import Api
from semafor.app.home import Home
from semafor.base import duration

_HEADER = ("WORKLOAD", "TOTAL RPS", "ERROR RPS", "P50 LATENCY", "P90 LATENCY", "P99 LATENCY")
_LEAST_S = 10  # proxies are read every five seconds, and a rate takes two looks


@click.command()
@click.argument("names", metavar="WORKLOAD[.NAMESPACE]...", nargs=-1, required=True)
@click.option("-n", "--namespace", default="default", show_default=True)
@click.option("-d", "--duration", "over", default="1m", show_default=True, help="Over how long, at least 10s.")
@output.format_option
def command(names: tuple[str, ...], namespace: str, over: str, form: str) -> None:
    """Show how many requests came to workloads, how many failed (4xx, 5xx), and how long they took.

    A workload is called as the Deployment that runs it. Its own proxies count, so requests that never arrived do not.

    \b
    Example:
      semafor metrics model-v1 model-v2 -n demo
    """
    api = Api(Home.find())
    seconds = _seconds(over)
    found = []
    for each in names:
        name, where = workloads.named(api, each.removeprefix("deploy/"), namespace)
        found.append(api.ask(f"metrics/{where}/{name}/{seconds}"))
    if not output.document(form, found):
        output.table(_HEADER, map(_row, found))


def _seconds(text: str) -> int:
    try:
        seconds = duration.parse(text)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if seconds < _LEAST_S:
        raise click.UsageError(f"{text} is too short: at least {_LEAST_S}s")
    return round(seconds)


def _row(load: dict[str, Any]) -> tuple[str, ...]:
    latencies = (_latency(load[name]) for name in ("p50_ms", "p90_ms", "p99_ms"))
    return (load["workload"], f"{load['total_rps']:.3f}", f"{load['error_rps']:.3f}", *latencies)


def _latency(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}ms"
