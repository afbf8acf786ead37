"""`semafor authz check`: the policies that are for a pod, and what they say of an imagined request."""

from typing import Any

import click
import msgspec

from semafor.app.cli import imagined, output, workloads
from semafor.app.cli.api import Api
from semafor.app.home import Home
from semafor.explain import Arrival, of_arrival

_REFUSED = 1


@click.group()
def command() -> None:
    """Look into authorization."""


@command.command()
@click.argument("pod", metavar="POD")
@click.argument("method", required=False)
@click.argument("path", default="/")
@click.option("-n", "--namespace", default="default", show_default=True)
@click.option("--from", "source", metavar="POD", help="Who calls; without it, a caller without a sidecar.")
@click.option("--port", type=click.IntRange(1, 65535), help="The pod's port (default: its first for HTTP).")
@imagined.options
@output.format_option
def check(**options: Any) -> None:
    """List the AuthorizationPolicies for a pod; with a METHOD or --from, tell what they say of that request.

    POD is a pod, POD.NAMESPACE, deploy/NAME and the like. Ends with 1 when the request is refused.

    \b
    Example:
      semafor authz check deploy/model
      semafor authz check deploy/model --from deploy/agent POST /v1/chat
    """
    api = Api(Home.find())
    pod = workloads.full_name(workloads.pod(api, options["pod"], options["namespace"]))
    if options["method"] or options["source"]:
        _judge(api, pod, options)
    else:
        _list(api, pod, options["form"])


def _list(api: Api, pod: str, form: str) -> None:
    policies = api.ask(f"authz/{pod}")
    if output.document(form, policies):
        return
    if not policies:
        print(f"No AuthorizationPolicy is for {pod}: everybody may call it whom mutual TLS lets in.")
        return
    rows = ((_action(each), each["name"], each["rules"]) for each in policies)
    output.table(("ACTION", "AuthorizationPolicy", "RULES"), rows)


def _action(policy: dict[str, Any]) -> str:
    return f"{policy['action']} (dry run)" if policy["dry_run"] else str(policy["action"])


def _judge(api: Api, pod: str, options: dict[str, Any]) -> None:
    source = options["source"]
    question = {
        "source": workloads.full_name(workloads.pod(api, source, options["namespace"])) if source else "",
        "method": options["method"] or "",
        "path": options["path"],
        "port": options["port"] or 0,
        "headers": imagined.headers(options["headers"]),
        "claims": imagined.claims(options["claims"]),
    }
    document = api.ask(f"authz/{pod}", question)
    if not output.document(options["form"], document):
        for line in of_arrival(msgspec.convert(document, Arrival)):
            print(line)
    if document["refusal"]:
        raise click.exceptions.Exit(_REFUSED)
