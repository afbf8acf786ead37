"""`semafor history`: what was changed of the mesh's configuration, when, and by whom."""

import difflib
from collections.abc import Iterator
from typing import Any

import click
import yaml

from semafor.app.cli import applying, output
from semafor.app.cli.api import Api
from semafor.app.home import Home

Doc = dict[str, Any]


@click.command()
@output.format_option
@click.argument("revision", type=int, required=False)
def command(form: str, revision: int | None) -> None:
    """List the revisions of the mesh's configuration, or show what REVISION changed.

    Every change of a rule (Istio's kinds, the Gateway API's, SMI's, and the mesh configuration) is kept with who made
    it, with what, and when; the newest 200. What one apply changes is one revision. `semafor rollback` goes back.

    \b
    Example:
      semafor history
      semafor history 12
    """
    api = Api(Home.find())
    found = api.ask("history" if revision is None else f"history/{revision}")
    if output.document(form, found):
        return
    if revision is not None:
        for line in _shown(found):
            print(line)
    elif found:
        output.table(("REVISION", "WHEN", "WHO", "WITH", "CHANGES"), (_row(each) for each in found))
    else:
        output.note("nothing has been changed since the history began")


def _row(revision: Doc) -> tuple[str, ...]:
    changes = revision["changes"]
    who, with_ = (", ".join(dict.fromkeys(each[name] or "-" for each in changes)) for name in ("who", "with"))
    told = ", ".join(f"{each['how']} {each['object']}" for each in changes)
    return str(revision["number"]), revision["at"], who, with_, told


def _shown(revision: Doc) -> Iterator[str]:
    yield f"revision {revision['number']}, {revision['at']}"
    for step in revision["steps"]:
        said = step["after"] or step["before"]
        how = "created" if step["before"] is None else "deleted" if step["after"] is None else "changed"
        name = "/".join(part for part in (said["metadata"].get("namespace"), said["metadata"]["name"]) if part)
        yield f"{how} {said['kind']} {name}" + (f"  by {step['who']}" if step["who"] else "")
        old, new = (_text(step[side]) for side in ("before", "after"))
        for line in difflib.unified_diff(old, new, n=2, lineterm=""):
            if line[:3] not in ("---", "+++"):
                yield f"  {line}"


def _text(document: Doc | None) -> list[str]:
    said = applying.essence(document)
    return yaml.safe_dump(said, sort_keys=True, allow_unicode=True).splitlines() if said else []
