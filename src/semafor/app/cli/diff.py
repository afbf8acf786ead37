"""`semafor diff`: what an apply would change, for which proxies, in routes and policies."""

import difflib
from collections.abc import Iterator
from typing import Any

import click
import msgspec
import yaml

from semafor.app.cli import applying, output
from semafor.app.cli.api import Api
from semafor.app.cli.output import Failure
from semafor.app.home import Home
from semafor.app.questions import diff

Doc = dict[str, Any]
_DIFFERENT = 1
_FAILED = 2  # as kubectl diff: 1 says that there is a difference


@click.command()
@click.option("-f", "--filename", "files", multiple=True, metavar="PATH", help="A file, a folder, or - ; may repeat.")
@click.option("-k", "--kustomize", "folder", metavar="DIR", help="A folder with a kustomization.")
@click.option("-R", "--recursive", is_flag=True, help="Folders with all that lies below them.")
@click.option("-n", "--namespace", default="default", show_default=True, help="Where objects are that name none.")
@click.option("--delete", is_flag=True, help="Tell what deleting the objects would change.")
@click.option("--objects/--no-objects", "shown", default=True, help="Show the objects' own differences too.")
@output.format_option
def command(**options: Any) -> None:
    """Tell what an apply would change, for which proxies, in routes and policies and not in bytes.

    Nothing is changed. The mesh is planned twice, as it is and as it would be, and the plans are compared. Pods that
    do not run yet count as not running: a new Deployment changes what is routed once its pods are ready.

    Ends with 0 when nothing is different, with 1 when something is, and with 2 when that cannot be told.

    \b
    Example:
      semafor diff -f virtual-service.yaml
      semafor diff -k overlays/prod
      semafor diff --delete -f policy.yaml -o json
    """
    try:
        document = _asked(options)
    except Failure as failure:
        output.error(failure.format_message())
        raise click.exceptions.Exit(_FAILED) from None
    if not output.document(options["form"], document):
        show(document, with_objects=options["shown"])
    if document["objects"] or document["groups"]:
        raise click.exceptions.Exit(_DIFFERENT)


def _asked(options: dict[str, Any]) -> Doc:
    if not options["files"] and not options["folder"]:
        raise click.UsageError("what is to be compared? -f PATH or -k DIR")
    found = applying.given(options["files"], options["folder"] or "", recursive=options["recursive"])
    documents = applying.checked(found, options["namespace"])
    if not documents:
        raise Failure("there is no object in these files")
    return compared(Api(Home.find()), () if options["delete"] else documents, documents if options["delete"] else ())


def compared(api: Api, wanted: list[Doc] | tuple[()], gone: list[Doc] | tuple[()], *, merge: bool = True) -> Doc:
    """The difference that it makes when `wanted` are applied (or put, without `merge`) and `gone` deleted."""
    objects: list[tuple[Doc | None, Doc | None]] = []
    question = diff.Question()
    for document in wanted:
        now = applying.live(api, document)
        then = applying.merged(api, document, now) if merge else document
        question = msgspec.structs.replace(question, objects=(*question.objects, then))
        objects.append((now, then))
    for document in gone:
        now = applying.live(api, document)
        if now is not None:
            question = msgspec.structs.replace(question, gone=(*question.gone, now))
            objects.append((now, None))
    answer: Doc = api.ask("diff", msgspec.to_builtins(question))
    return {"objects": list(_objects(objects)), **answer}


def _objects(pairs: list[tuple[Doc | None, Doc | None]]) -> Iterator[Doc]:
    """What becomes of the objects themselves, those without a difference left out."""
    for now, then in pairs:
        before, after = applying.essence(now), applying.essence(then)
        if before == after:
            continue
        named = after or before or {}
        how = "created" if before is None else "deleted" if after is None else "changed"
        name = f"{named['kind']} {named['metadata'].get('namespace', '')}/{named['metadata']['name']}"
        yield {"object": name.replace(" /", " "), "how": how, "lines": list(_lines(before, after))}


def _lines(before: Doc | None, after: Doc | None) -> Iterator[str]:
    if before is None or after is None:
        return
    old, new = (yaml.safe_dump(each, sort_keys=True, allow_unicode=True).splitlines() for each in (before, after))
    yield from (line for line in difflib.unified_diff(old, new, n=1, lineterm="") if line[:3] not in ("---", "+++"))


def show(document: Doc, *, with_objects: bool) -> None:
    """Print the difference for people."""
    for each in document["objects"]:
        print(f"{each['how']} {each['object']}")
        for line in each["lines"] if with_objects else ():
            print(f"  {line}")
    answer = msgspec.convert({key: value for key, value in document.items() if key != "objects"}, diff.Difference)
    if document["objects"]:
        print()
    for line in diff.words(answer.groups, answer.proxies):
        print(line)
    if not answer.groups:
        print(f"no plan of {answer.proxies} proxies changes")
    for problem in answer.new_problems:
        print(f"warning   {problem}")
    for problem in answer.mended:
        print(f"mended    {problem}")
