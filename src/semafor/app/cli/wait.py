"""`semafor wait`: until the proxies have an object, or have forgotten it."""

import re
from typing import Any

import click

from semafor.app.cli import output, workloads
from semafor.app.cli.api import Api
from semafor.app.cli.output import Failure
from semafor.app.home import Home
from semafor.app.status import LIVE
from semafor.app.statuses import KINDS
from semafor.base import duration
from semafor.resources.kind import Kind

Doc = dict[str, Any]
_COUNT = re.compile(r"(\d+) of (\d+)")


@click.command()
@click.argument("kind_name", metavar="TYPE")
@click.argument("name", metavar="NAME[.NAMESPACE]", required=False)
@click.option("-n", "--namespace", default="default", show_default=True)
@click.option("--for", "what", type=click.Choice(["distribution", "delete"]), default="distribution", show_default=True)
@click.option("--generation", type=int, help="Wait for this generation of the object (default: the newest).")
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    default=1.0,
    show_default=True,
    help="The share of proxies that is enough.",
)
@click.option("--timeout", default="30s", show_default=True, help="How long, such as 30s or 1m30s.")
def command(**options: Any) -> None:
    """Wait until the proxies have an object as it is, or (--for delete) have forgotten it.

    TYPE is a kind as kubectl names it, and may be joined with the name: vs/model. Ends with 1 when the time is over,
    and says what is in the way.

    \b
    Example:
      semafor wait virtualservice model.demo
      semafor wait --for=delete vs/model --timeout=10s
    """
    api = Api(Home.find())
    word, _, joined = options["kind_name"].partition("/")
    if not (options["name"] or joined):
        raise click.UsageError("name the object: semafor wait virtualservice NAME")
    kind = _kind(word)
    name, namespace = workloads.named(api, options["name"] or joined, options["namespace"])
    what = f"{kind.kind} {namespace}/{name}"
    probe = _forgotten if options["what"] == "delete" else _distributed
    with output.waiting(f"waiting for {what}"):
        api.wait(lambda: probe(api, kind, name, namespace, options), timeout_s=_seconds(options["timeout"]), what=what)
    print(f"{what}: {'no proxy has it any more' if options['what'] == 'delete' else 'the proxies have it'}")


def _kind(word: str) -> Kind:
    wanted = word.lower()
    found = next((each for each in KINDS if wanted in (each.singular, each.plural, *each.short)), None)
    if found is None:
        known = ", ".join(sorted(each.singular for each in KINDS))
        raise Failure(f"{word} is no kind that proxies get and that says so", f"one of: {known}")
    return found


def _seconds(text: str) -> float:
    try:
        return duration.parse(text)
    except ValueError as error:
        raise click.UsageError(f"{text} is no duration, such as 30s or 1m30s") from error


def _distributed(api: Api, kind: Kind, name: str, namespace: str, options: Doc) -> str:
    """What is still missing; empty when enough proxies have the object."""
    found = api.get(kind, name, namespace)
    if found is None:
        raise Failure(f"there is no {kind.kind} {name} in the namespace {namespace}")
    wanted = options["generation"] or found["metadata"].get("generation", 1)
    conditions = found.get("status", {}).get("conditions") or []
    live = next((each for each in conditions if each["type"] == LIVE), None)
    if live is None or live.get("observedGeneration", 0) < wanted:
        return "the mesh has not planned with it yet"
    if live["status"] == "True" or _is_enough(live.get("message", ""), options["threshold"]):
        return ""
    return f"{live.get('reason', '')}: {live.get('message', '')}"


def _is_enough(text: str, threshold: float) -> bool:
    found = _COUNT.match(text)
    return bool(found and int(found[2]) and int(found[1]) / int(found[2]) >= threshold)


def _forgotten(api: Api, kind: Kind, name: str, namespace: str, _: Doc) -> str:
    if api.get(kind, name, namespace) is not None:
        return "the object is still there"
    late = [each["proxy"] for each in api.ask("proxies") if each["connected"] and each["behind"]]
    return f"{len(late)} proxies have not heard yet, {late[0]} among them" if late else ""
