"""`semafor describe pod|service`: what it is to the mesh."""

from collections.abc import Iterator
from typing import Any

import click

from semafor.app.cli import output, workloads
from semafor.app.cli.api import Api
from semafor.app.home import Home

Doc = dict[str, Any]

_RULER = "--------------------"


@click.group()
def command() -> None:
    """Describe what a pod or a service is to the mesh."""


@command.command()
@click.argument("name", metavar="POD")
@click.option("-n", "--namespace", default="default", show_default=True)
@output.format_option
def pod(name: str, namespace: str, form: str) -> None:
    """Describe a pod: its sidecar, ports and modes of mutual TLS, the objects that are for it, and who may call it.

    POD is a pod, POD.NAMESPACE, deploy/NAME and the like.

    \b
    Example:
      semafor describe pod deploy/model
    """
    api = Api(Home.find())
    told = api.ask(f"pods/{workloads.full_name(workloads.pod(api, name, namespace))}")
    if not output.document(form, told):
        _print(_pod(told))


@command.command()
@click.argument("name", metavar="SERVICE")
@click.option("-n", "--namespace", default="default", show_default=True)
@output.format_option
def service(name: str, namespace: str, form: str) -> None:
    """Describe a service: its ports, instances, and the rules for those who call it.

    SERVICE is a service, SERVICE.NAMESPACE or svc/SERVICE.

    \b
    Example:
      semafor describe service model
    """
    api = Api(Home.find())
    own, namespace = workloads.named(api, name.removeprefix("svc/"), namespace)
    told = api.ask(f"services/{namespace}/{own}")
    if not output.document(form, told):
        _print(_service(told))


command.add_command(service, "svc")


def _print(lines: Iterator[str]) -> None:
    for line in lines:
        print(line)


def _pod(told: Doc) -> Iterator[str]:
    yield f"Pod: {told['name']}"
    for warning in told["warnings"]:
        yield f"WARNING: {warning}"
    if told["sidecar"] is None:
        return
    yield f"   Pod Revision: {told['sidecar']['revision']}"
    yield f"   Pod Ports: {', '.join(str(each['port']) for each in told['ports'] if each['port']) or 'none'}"
    yield f"   Identity: {told['identity']}"
    yield f"   Sidecar: {_state(told['sidecar'])}"
    for each in told["services"]:
        yield _RULER
        yield from _service(each)
    yield _RULER
    yield "Effective PeerAuthentication:"
    for each in told["ports"]:
        yield f"   {_port(each['port'])} mTLS mode: {each['mode']} ({each['by']})"
    yield from _security(told)
    yield from _objects(told["objects"])


def _state(sidecar: Doc) -> str:
    if not sidecar["connected"]:
        return f"{sidecar['kind']} {sidecar['version']}, not connected"
    behind = sidecar["behind"]
    return f"{sidecar['kind']} {sidecar['version']}, " + (f"{behind} changes behind" if behind else "has everything")


def _port(number: int) -> str:
    return f"Port {number}" if number else "Other ports"


def _service(told: Doc) -> Iterator[str]:
    yield f"Service: {told['name']}"
    for port in told["ports"]:
        yield f"   Port: {port['name']} {port['number']}/{port['protocol']} targets pod port {port['target']}"
    for rule in told["destination_rules"]:
        yield f'{rule["name"]} for "{rule["host"]}"'
        if rule["subsets"]:
            yield f"   Matching subsets: {', '.join(rule['subsets'])}"
        if rule["other_subsets"]:
            word = "Non-matching subsets" if rule["subsets"] else "Subsets"
            yield f"   {word}: {', '.join(rule['other_subsets'])}"
    yield from told["routing"]
    if told["instances"]:
        yield f"Instances: {', '.join(told['instances'])}"


def _security(told: Doc) -> Iterator[str]:
    if told["tokens"]:
        yield "RequestAuthentication:"
        yield from (f"   {each}" for each in told["tokens"])
    yield "Who may call:"
    if not told["callers"]:
        yield "   everybody whom mutual TLS lets in: no AuthorizationPolicy is for the pod"
    for each in told["callers"]:
        trial = " (dry run)" if each["dry_run"] else ""
        what = f"; {each['what']}" if each["what"] else ""
        yield f"   {each['action']}{trial} {each['policy']}: {each['who']}{what}"


def _objects(objects: list[Doc]) -> Iterator[str]:
    if objects:
        yield _RULER
        yield "Objects for this pod:"
    for each in objects:
        yield f"   {each['object']}: {each['live']}"
        yield from (f"      {problem}" for problem in each["problems"])
