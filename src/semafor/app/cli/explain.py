"""`semafor explain`: what becomes of a request that one imagines, or what became of one that was, and why."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import click
import msgspec

from semafor.app.cli import imagined, output, places, workloads
from semafor.app.cli.api import Api
from semafor.app.home import Home
from semafor.explain import Life, Story, lines, of_life

_FAILED = 1


@click.command()
@click.option("--from", "source", metavar="POD", help="Who calls: a pod, or deploy/NAME and the like.")
@click.option("--through", metavar="POD", help="The gateway by which the request comes in from outside.")
@click.option("--to", "target", metavar="HOST", help="Who is called: HOST or HOST:PORT, as apps write it.")
@click.option("--request", metavar="ID", help="Of a request that was made: its x-request-id.")
@click.option("--trace", metavar="ID", help="Of a request that was made: the id of its trace.")
@click.option("-n", "--namespace", default="default", show_default=True, help="Where the caller is.")
@click.option("--port", type=click.IntRange(1, 65535), help="The port (default: of the URL, else the service's own).")
@imagined.options
@click.option("--tls", is_flag=True, help="The caller itself speaks TLS.")
@click.option(
    "-f",
    "files",
    metavar="PATH",
    multiple=True,
    help="Files or folders that were applied: rules get their file and line.",
)
@output.format_option
@click.argument("method", required=False)
@click.argument("path", default="/")
def command(**options: Any) -> None:
    """Tell what becomes of a request, by which rules: METHOD and PATH, as the caller would send it.

    Nothing is sent. The answer comes from the plans that the proxies of this mesh have been given: the route with the
    object and field it comes from, what it won against, shares, instances, retries, time-outs, mutual TLS, and each
    policy that was tried. Without METHOD it is a connection that carries bytes.

    With --request or --trace it tells of a request that was made what became of it: what each proxy on its way has
    written (access logs, kept by the pods), and by the plans the rules that made it so; where it failed, the cause
    and what would mend it.

    Ends with 0 when the request passes and with 1 when it does not, or when that depends on chance.

    \b
    Example:
      semafor explain --request 177192f3-a49e-42cb-b1e3-523e52d8aeab
      semafor explain --from agent --to model GET /v1/chat -H 'x-test-user: true'
      semafor explain --from deploy/agent --to memory:6379 -f rules/
      semafor explain --through deploy/istio-ingressgateway.istio-system --to shop.example.com GET /cart
      semafor explain --from agent --to api POST /orders --jwt-claims '{"iss": "https://issuer.example", "sub": "ada"}'
    """
    api = Api(Home.find())
    if options["request"] or options["trace"]:
        _tell_of_the_past(api, options)
        return
    document = api.ask("explain", _question(api, options))
    _print(api, options, document, lambda: lines(msgspec.convert(document, Story)))
    if document["verdict"] != "passes":
        raise click.exceptions.Exit(_FAILED)


def _tell_of_the_past(api: Api, options: dict[str, Any]) -> None:
    if options["request"] and options["trace"]:
        raise click.UsageError("one of --request and --trace is enough")
    for name in ("source", "through", "target", "method"):
        if options[name]:
            raise click.UsageError("--request and --trace stand alone: what was asked is in the logs")
    document = api.ask(f"requests/{quote(options['request'] or options['trace'], safe='')}")
    _print(api, options, document, lambda: of_life(msgspec.convert(document, Life)))
    if document["verdict"] != "passed":
        raise click.exceptions.Exit(_FAILED)


def _print(api: Api, options: dict[str, Any], document: dict[str, Any], told: Callable[[], Iterator[str]]) -> None:
    """As lines, or as the document itself, which gets `places`: what the lines name, and where it stands."""
    found = places.of(options["files"], api, options["namespace"]) if options["files"] else None
    if options["form"] != "text":
        extra = {"places": found.named("\n".join(told()))} if found else {}
        output.document(options["form"], document | extra)
    else:
        for line in told():
            print(found.told(line) if found else line)
    for note in found.notes() if found else ():
        output.note(f"note: {note}")


def _question(api: Api, options: dict[str, Any]) -> dict[str, Any]:
    if bool(options["source"]) == bool(options["through"]):
        raise click.UsageError("who calls? --from POD, or --through the POD of a gateway")
    if not options["target"]:
        raise click.UsageError("who is called? --to HOST, or --request ID for a request that was made")
    host, _, port = options["target"].partition(":")
    if port and not port.isdigit():
        raise click.UsageError(f"a port is a number, and this is none: {port}")
    return {
        "source": workloads.full_name(
            workloads.pod(api, options["source"] or options["through"], options["namespace"])
        ),
        "at_edge": bool(options["through"]),
        "host": host,
        "port": options["port"] or int(port or 0),
        "method": options["method"] or "",
        "path": options["path"],
        "headers": imagined.headers(options["headers"]),
        "claims": imagined.claims(options["claims"]),
        "scheme": "https" if options["tls"] and options["method"] else "http",
        "says": "tls" if options["tls"] else "bytes",
    }
