"""`semafor status`: what runs, in one screen."""

from typing import Any

import click

from semafor.app import gateways
from semafor.app.cli import api, output
from semafor.app.home import Home
from semafor.app.pipeline import RULES
from semafor.planner.tables import TABLES
from semafor.resources.core import node, pod, service

# Those of the Gateway API say by other conditions how they stand.
_LIVING = tuple(kind for kind in RULES if all(table.says_live for table in TABLES if table.kind is kind))
_BEGINNING = ("ContainerCreating", "PodInitializing")


@click.command()
@output.format_option
def command(form: str) -> None:
    """Say what runs and where. Ends with 1 when no mesh runs.

    \b
    Example:
      semafor status -o json
    """
    home = Home.find()
    pid = home.running_pid()
    if pid is None:
        if not output.document(form, {"running": False, "home": str(home.path)}):
            print(f"No mesh is running. State folder: {home.path}. Start it with: semafor up")
        raise click.exceptions.Exit(1)
    report = _report(home)
    if output.document(form, report):
        return
    print(f"API       {report['server']}   kubectl context {report['context']}   process {report['pid']}")
    if "page" in report:
        print(f"page      {report['page']}   sign in with: semafor dashboard")
    print(f"node      {'ready' if report['node'] else 'not ready'}")
    pods = report["pods"]
    print(f"pods      {pods['ready']} of {pods['total']} ready, {pods['sidecars']} with a sidecar")
    for sick in pods["sick"]:
        print(f"          {sick}")
    print(f"rules     {report['rules']['live']} of {report['rules']['total']} live")
    for problem in report["problems"]:
        print(f"          {problem}")
    for line in gateways.lines(report["gateways"]):
        print(f"gateway   {line}")
    print(f"state     {home.path}")


def _report(home: Home) -> dict[str, Any]:
    mesh = api.Api(home)
    # Of those that have ended, nothing more is to be expected.
    pods = [each for each in mesh.objects(pod.KIND) if each.get("status", {}).get("phase") != "Succeeded"]
    rules = [rule for kind in _LIVING for rule in mesh.objects(kind)]
    return {
        "running": True,
        **api.report(home),
        "node": any(_holds(each, "Ready") for each in mesh.objects(node.KIND)),
        "pods": {
            "total": len(pods),
            "ready": sum(_holds(each, "Ready") for each in pods),
            "sick": [line for each in pods if (line := _sick(each))],
            "sidecars": sum("sidecar.istio.io/status" in each["metadata"].get("annotations", {}) for each in pods),
        },
        "rules": {"total": len(rules), "live": sum(_holds(rule, "Live") for rule in rules)},
        "gateways": gateways.found(mesh.objects(service.KIND)),
        "problems": [line for rule in rules for line in _problems(rule)],
    }


def _holds(obj: dict[str, Any], condition: str) -> bool:
    conditions = obj.get("status", {}).get("conditions") or []
    return any(each["type"] == condition and each["status"] == "True" for each in conditions)


def _sick(found: dict[str, Any]) -> str:
    """The pod and what keeps its containers from running; empty when nothing does, or it has only just begun."""
    status, metadata = found.get("status", {}), found["metadata"]
    for each in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        state = each.get("state") or {}
        waiting, ended = state.get("waiting") or {}, state.get("terminated") or {}
        if waiting.get("reason") in _BEGINNING or not (waiting or ended.get("exitCode")):
            continue
        why = waiting or {"reason": ended.get("reason"), "message": f"it ended with {ended.get('exitCode')}"}
        said = f": {why['message']}" if why.get("message") else ""
        return f"pod {metadata['namespace']}/{metadata['name']}, container {each['name']}: {why['reason']}{said}"
    return ""


def _problems(rule: dict[str, Any]) -> list[str]:
    """What is wrong with the rule, or what it waits for."""
    metadata, status = rule["metadata"], rule.get("status", {})
    name = f"{rule['kind']} {metadata['namespace']}/{metadata['name']}"
    if messages := status.get("validationMessages"):
        return [f"{name}: {_with_fix(message)}" for message in messages]
    live: dict[str, Any] = next((each for each in status.get("conditions") or () if each["type"] == "Live"), {})
    return [] if live.get("status") == "True" else [f"{name}: not live: {live.get('message') or 'no proxy has it yet'}"]


def _with_fix(message: dict[str, Any]) -> str:
    return f"{message['message']} ({message['fix']})" if "fix" in message else str(message["message"])
