"""`semafor tap`: requests as they pass, live."""

import json
import queue
import threading
from collections.abc import Iterator
from typing import Any

import click
import httpx

from semafor.app.cli import output, tapped, workloads
from semafor.app.cli.api import Api
from semafor.app.cli.output import Failure
from semafor.app.home import Home
from semafor.resources.core import pod as pods

Doc = dict[str, Any]
_MAX_PODS = 32  # each is a connection and a thread
_MAX_WAITING = 1000  # requests that are not printed yet


@click.command()
@click.argument("names", metavar="[WORKLOAD[.NAMESPACE]]...", nargs=-1)
@click.option("-n", "--namespace", default="default", show_default=True)
@click.option(
    "--outbound", is_flag=True, help="What the workloads (or a gateway) ask, in place of what they are asked."
)
@click.option("--method", default="", help="Requests of this method alone.")
@click.option("--path", default="", help="Those whose path begins so.")
@click.option("--status", default="", help="Those with this status, or such as 5xx.")
@click.option(
    "--header", "headers", multiple=True, metavar="NAME=VALUE", help="Those with this header; may be repeated."
)
@click.option("--max", "limit", type=click.IntRange(1), help="End after so many.")
@click.option(
    "--body", "body_bytes", type=click.IntRange(0, 1 << 20), default=0, help="Bodies too, up to so many bytes."
)
@click.option("--stream", is_flag=True, help="Each piece when it comes (server-sent events), with --body.")
@click.option("--show-secrets", is_flag=True, help="Do not black out tokens, cookies and keys.")
@click.option("-o", "--output", "form", type=click.Choice(["text", "json"]), default="text", help="json: one per line.")
def command(names: tuple[str, ...], namespace: str, form: str, limit: int | None, **options: Any) -> None:
    """Show requests that pass the proxies of workloads, until interrupted; of all in the namespace when none is named.

    Proxies show them themselves, and change nothing else; when this command ends, however it does, they stop. Values of
    headers and parameters that carry secrets are blacked out; bodies are told on request, and as they are.

    \b
    Examples:
      semafor tap model -n demo --status 5xx
      semafor tap deploy/agent --outbound --path /v1/chat --body 2000 --stream
    """
    api = Api(Home.find())
    chosen = [*_chosen(api, names, namespace)]
    asked = _asked(options)
    redact = not options["show_secrets"]
    count = 0
    with _Taps(api, chosen, asked) as taps:
        for pod, found in taps.found():
            if "left_out" in found:
                output.note(f"{pod}: {found['left_out']}")
                continue
            told = tapped.told(pod, asked["direction"], found, redact=redact)
            print(json.dumps(told, ensure_ascii=False) if form == "json" else tapped.line(told), flush=True)
            count += tapped.is_request(told)
            if limit is not None and count >= limit:
                break


def _asked(options: Doc) -> Doc:
    headers = dict(each.partition("=")[::2] for each in options["headers"])
    if not all(each.partition("=")[1] for each in options["headers"]):
        raise click.UsageError("--header is NAME=VALUE")
    plain = {name: options[name] for name in ("method", "path", "status", "body_bytes", "stream")}
    return {**plain, "headers": headers, "direction": "outbound" if options["outbound"] else "inbound"}


def _chosen(api: Api, names: tuple[str, ...], namespace: str) -> Iterator[str]:
    """The pods, as `namespace/name`."""
    named = [pod for name in names for pod in workloads.every(api, name, namespace)]
    meshed = named or [each for each in api.objects(pods.KIND, namespace) if _is_meshed(each)]
    if not meshed:
        raise Failure(
            f"the namespace {namespace} has no pods with a proxy", "name a workload, or another namespace: -n"
        )
    if len(meshed) > _MAX_PODS:
        output.note(f"{len(meshed)} pods are too many at once: the first {_MAX_PODS}; name a workload for others")
    yield from (workloads.full_name(each) for each in meshed[:_MAX_PODS])


def _is_meshed(pod: Doc) -> bool:
    annotations = pod["metadata"].get("annotations") or {}
    return "sidecar.istio.io/status" in annotations and pod.get("status", {}).get("phase") == "Running"


class _Taps:
    """One connection and one thread for each pod; what comes is put together."""

    def __init__(self, api: Api, names: list[str], asked: Doc) -> None:
        self._api = api
        self._names = names
        self._asked = asked
        self._found: queue.Queue[tuple[str, Doc | Exception | None]] = queue.Queue(_MAX_WAITING)

    def __enter__(self) -> "_Taps":
        for name in self._names:
            threading.Thread(target=self._follow, args=(name,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """The threads end with the program, and their connections with them."""

    def found(self) -> Iterator[tuple[str, Doc]]:
        """The documents, until every proxy has ended. Raises Failure when none can be tapped."""
        running, failure = len(self._names), None
        while running:
            name, found = self._found.get()
            if isinstance(found, dict):
                yield name, found
                continue
            running -= 1
            if isinstance(found, Exception):
                failure = found
                output.note(f"{name}: {found}")
        if isinstance(failure, Failure):
            raise Failure("nothing is tapped")

    def _follow(self, name: str) -> None:
        try:
            with self._api.stream(f"proxies/{name}/tap", self._asked) as texts:
                for document in tapped.documents(texts):
                    self._found.put((name, document))
        except (Failure, httpx.HTTPError) as error:
            self._found.put((name, error))
        else:
            self._found.put((name, None))
