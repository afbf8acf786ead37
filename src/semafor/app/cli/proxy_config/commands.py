"""The commands: their options, and the choice between columns, short lists and whole documents."""

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeVar

import click
import yaml

from semafor.app.cli import output
from semafor.app.cli.proxy_config.envoy import Envoy
from semafor.app.envoy_tables import clusters, endpoints, listeners, routes, secrets

Doc = dict[str, Any]
F = TypeVar("F", bound=Callable[..., Any])

_LEVELS = ("trace", "debug", "info", "warning", "error", "critical", "off")
_PORT = click.option("--port", type=click.IntRange(0, 65535), help="Only this port.")
_FQDN = click.option("--fqdn", help="Only services with this in their full name.")
_ADDRESS = click.option("--address", help="Only this address.")
_NAME = click.option("--name", help="Only the one of this name.")


@click.group()
def command() -> None:
    """Show what the Envoy of a pod has, from its own mouth. POD is a pod, POD.NAMESPACE, deploy/NAME and the like.

    \b
    Example:
      semafor proxy-config routes deploy/agent --name 80
      semafor proxy-config clusters agent-0.shop --fqdn model -o json
    """


def _part(name: str, alias: str, *options: Callable[[Any], Any]) -> Callable[[Callable[..., Any]], click.Command]:
    """A subcommand with what they have in common: the pod, its namespace, the form of the output."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        made: Any = function
        for option in reversed(options):
            made = option(made)
        made = _form(click.option("-n", "--namespace", default="default", show_default=True)(made))
        subcommand = click.command(name)(click.argument("pod", metavar="POD")(made))
        command.add_command(subcommand)
        command.add_command(_hidden(subcommand), alias)
        return subcommand

    return decorate


def _hidden(subcommand: click.Command) -> click.Command:
    """The same under another name, which the list of commands leaves out."""
    copy = click.Command(subcommand.name, callback=subcommand.callback, params=subcommand.params, hidden=True)
    copy.help = subcommand.help
    return copy


def _form(function: F) -> F:
    forms = click.Choice(["short", "json", "yaml"])
    option = click.option("-o", "--output", "form", type=forms, default="short", help="The form of the output.")
    return option(function)


def _show(part: ModuleType, options: Doc) -> None:
    envoy = Envoy(options["pod"], options["namespace"])
    found = part.chosen(envoy, options)
    if not _whole(options["form"], found):
        output.table(part.HEADER, part.rows(envoy, found))


def _whole(form: str, found: Any) -> bool:
    if form == "json":
        print(json.dumps(found, indent=2, ensure_ascii=False))
    elif form == "yaml":
        print(yaml.safe_dump(found, sort_keys=False, allow_unicode=True), end="")
    return form != "short"


@_part(
    "cluster",
    "clusters",
    _FQDN,
    _PORT,
    click.option("--subset", help="Only this subset."),
    click.option("--direction", type=click.Choice(["inbound", "outbound"]), help="Only this direction."),
)
def cluster(**options: Any) -> None:
    """Show the clusters: the services that can be called, and the app itself."""
    _show(clusters, options)


@_part("listener", "listeners", _ADDRESS, _PORT, click.option("--type", help="Only HTTP, TCP or HTTP+TCP."))
def listener(**options: Any) -> None:
    """Show the listeners, with a line for each filter chain."""
    _show(listeners, options)


@_part("route", "routes", _NAME)
def route(**options: Any) -> None:
    """Show the routes, with the rule that each is made by."""
    _show(routes, options)


@_part(
    "endpoint",
    "endpoints",
    _ADDRESS,
    _PORT,
    _FQDN,
    click.option("--cluster", help="Only this cluster."),
    click.option("--status", help="Only this status: healthy, unhealthy, draining."),
)
def endpoint(**options: Any) -> None:
    """Show the instances behind the clusters, and what Envoy thinks of their health."""
    _show(endpoints, options)


@_part("secret", "secrets", _NAME)
def secret(**options: Any) -> None:
    """Show the certificates. Private keys are never shown."""
    _show(secrets, options)


@_part("bootstrap", "bootstraps")
def bootstrap(**options: Any) -> None:
    """Show what the Envoy started with. Its token is left out."""
    found = Envoy(options["pod"], options["namespace"]).bootstrap
    _whole("json" if options["form"] == "short" else options["form"], found)


@_part("ecds", "ecd")
def ecds(**options: Any) -> None:
    """Show the extensions that came by discovery of their own."""
    found = Envoy(options["pod"], options["namespace"]).extensions
    if not _whole(options["form"], found):
        output.table(("ECDS NAME", "TYPE"), ((each.get("name", ""), _type(each)) for each in found))


def _type(extension: Doc) -> str:
    return str(extension.get("typed_config", {}).get("@type", "")).rpartition("/")[2]


@_part("all", "everything")
def everything(**options: Any) -> None:
    """Show all of it, one part after the other."""
    envoy = Envoy(options["pod"], options["namespace"])
    if _whole(options["form"], envoy.configs):
        return
    for part in (clusters, listeners, routes, endpoints, secrets):
        output.table(part.HEADER, part.rows(envoy, part.chosen(envoy, {})))
        print()


@_part("log", "logs", click.option("--level", help="LEVEL, or LOGGER:LEVEL,... of " + ", ".join(_LEVELS) + "."))
def log(**options: Any) -> None:
    """Show the levels of the Envoy's log, and set them."""
    envoy = Envoy(options["pod"], options["namespace"])
    levels = envoy.log_levels(_wanted(options["level"] or ""))
    if not _whole(options["form"], levels):
        print(f"{envoy.pod}:")
        for name, level in levels.items():
            print(f"  {name}: {level}")


def _wanted(text: str) -> dict[str, str]:
    """`http:debug,rbac:trace` or one level for all."""
    found = {}
    for part in filter(None, text.split(",")):
        name, colon, level = part.rpartition(":")
        if level not in _LEVELS:
            raise click.UsageError(f"{level} is no level: {', '.join(_LEVELS)}")
        found[name if colon else "all"] = level
    return found
