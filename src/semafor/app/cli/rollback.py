"""`semafor rollback`: the mesh's configuration as it was at an earlier revision."""

from collections.abc import Iterator
from typing import Any

import click

from semafor.app.cli import diff, output
from semafor.app.cli.api import Api, kind_of
from semafor.app.cli.output import Failure
from semafor.app.home import Home

Doc = dict[str, Any]


@click.command()
@click.option(
    "--to", "target", type=int, metavar="REVISION", help="The revision to go back to (default: the last but one)."
)
@click.option("--dry-run", is_flag=True, help="Tell what it would change, and for which proxies; change nothing.")
@output.format_option
def command(target: int | None, form: str, *, dry_run: bool) -> None:
    """Go back to how the mesh's configuration was after REVISION.

    Objects that were changed since are put back, those that were made since are deleted, and those that were deleted
    are made again, by your own rights. Going back is a revision too, so that it can be undone in the same way.

    \b
    Example:
      semafor rollback --dry-run
      semafor rollback --to 12
    """
    api = Api(Home.find())
    known = api.ask("history")
    if not known:
        raise Failure("nothing has been changed since the history began, so there is nothing to go back to")
    number = known[-1]["number"] - 1 if target is None else target
    wanted = api.ask(f"history/{number}/undo")
    if dry_run:
        document = diff.compared(api, wanted["put"], wanted["delete"], merge=False)
        if not output.document(form, document):
            diff.show(document, with_objects=True)
        return
    done = list(_gone_back(api, wanted))
    if not output.document(form, {"revision": number, "done": done}):
        for line in done:
            print(line)
        print(f"the configuration is as it was after revision {number}" if done else "it is as it was already")


def _gone_back(api: Api, wanted: Doc) -> Iterator[str]:
    """Put first, delete last: what is put may need nothing of what goes, and never the other way round."""
    for document in wanted["put"]:
        yield _put(api, document)
    for document in wanted["delete"]:
        metadata = document["metadata"]
        api.delete(kind_of(document), metadata["name"], metadata.get("namespace", "default"))
        yield f"deleted {_name(document)}"


def _put(api: Api, document: Doc) -> str:
    kind, metadata = kind_of(document), document["metadata"]
    now = api.get(kind, metadata["name"], metadata.get("namespace", "default"))
    if now is None:
        api.create(kind, document)
        return f"created {_name(document)}"
    api.put(kind, document)
    return f"changed {_name(document)}"


def _name(document: Doc) -> str:
    metadata = document["metadata"]
    return " ".join((document["kind"], "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))))
