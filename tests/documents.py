"""Check the documents: `python -m tests.documents` prints what is wrong and ends with 1 if anything is.

Links to files exist; every `semafor ...` line in a code block is one that the command line takes; YAML blocks are right
documents of their kinds; a translation has the headings and the code blocks of its original; the reference of fields is
what `python -m tests.reference --write` makes.
"""

import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import ryaml
from tests import reference

from semafor.app.cli import root
from semafor.resources import registry
from semafor.resources.check import check as check_object

ROOT = Path(__file__).resolve().parent.parent
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_SEMAFOR = re.compile(r"(?:^|[|;&]\s*|\$\()semafor(?=\s|$)")
_SHELL = frozenset({"", "sh", "bash", "console"})
# Where a command ends and the shell goes on.
_ENDS = frozenset({"|", "||", "&", "&&", ";", ">", ">>", "<", "<<", ")"})


@dataclass(frozen=True)
class Block:
    """A fenced block: its language ("" for none), its text, the line of the file it begins at."""

    language: str
    text: str
    line: int


def documents(folder: Path = ROOT) -> list[Path]:
    """All documents that are checked."""
    return [folder / "README.md", folder / "CONTRIBUTING.md", *sorted((folder / "docs").rglob("*.md"))]


def check(folder: Path = ROOT) -> list[str]:
    """Everything that is wrong with the documents of the project in `folder`, as `file:line: sentence`."""
    found = []
    for document in documents(folder):
        name, text = document.relative_to(folder), document.read_text()
        for line, message in (*links(document, text), *commands(text), *yaml(text)):
            found.append(f"{name}:{line}: {message}")
    for translation in sorted((folder / "docs" / "ru").rglob("*.md")):
        original = folder / "docs" / translation.relative_to(folder / "docs" / "ru")
        name = translation.relative_to(folder)
        found += [f"{name}: {message}" for message in differences(original.read_text(), translation.read_text())]
    return found


def blocks(text: str) -> list[Block]:
    """The fenced blocks."""
    return [Block(m[1], m[2], text[: m.start(2)].count("\n") + 1) for m in _FENCE.finditer(text)]


def links(document: Path, text: str) -> Iterator[tuple[int, str]]:
    """Links to files that do not exist, or to headings that these do not have."""
    for match in _LINK.finditer(_without_blocks(text)):
        target, _, anchor = match[1].partition("#")
        line = text[: match.start()].count("\n") + 1
        if "://" in target:
            continue
        file = document.parent / target if target else document
        if not file.exists():
            yield line, f"{target} does not exist"
        elif anchor and anchor not in anchors(file.read_text()):
            yield line, f"{target or document.name} has no heading #{anchor}"


def anchors(text: str) -> set[str]:
    """The names by which headings can be linked to, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", _without_blocks(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def commands(text: str) -> Iterator[tuple[int, str]]:
    """Lines of code blocks that call `semafor` in a way it does not take."""
    for block in blocks(text):
        if block.language not in _SHELL:
            continue
        for offset, line in enumerate(block.text.splitlines()):
            for match in _SEMAFOR.finditer(line.removeprefix("$ ")):
                wrong = refusal(_arguments(line.removeprefix("$ ")[match.end() :]))
                if wrong:
                    yield block.line + offset, f"`{line.strip()}`: {wrong}"


def refusal(arguments: list[str]) -> str:
    """Why the command line does not take these arguments; "" when it does. Nothing is run."""
    context = click.Context(root, info_name="semafor")
    try:
        name, command, rest = root.resolve_command(context, arguments)
        assert command is not None
        if not {"-h", "--help"} & set(rest):
            command.make_context(name, rest, parent=context)
    except click.ClickException as error:
        return error.format_message()
    return ""


def yaml(text: str) -> Iterator[tuple[int, str]]:
    """Objects in YAML blocks that the API would refuse, or in which it does not know a field."""
    for block in blocks(text):
        if block.language != "yaml":
            continue
        for document in ryaml.loads_all(block.text):
            for message in _mistakes(document):
                yield block.line, message


def differences(original: str, translation: str) -> Iterator[str]:
    """Where a translation does not follow its original."""
    titles = [len(re.findall(r"^#+ ", _without_blocks(text), re.MULTILINE)) for text in (original, translation)]
    if titles[0] != titles[1]:
        yield f"it has {titles[1]} headings, the original {titles[0]}"
    ours, theirs = ([(block.language, block.text) for block in blocks(text)] for text in (translation, original))
    if len(ours) != len(theirs):
        yield f"it has {len(ours)} code blocks, the original {len(theirs)}"
    for block, (mine, other) in enumerate(zip(ours, theirs, strict=False), start=1):
        if mine != other:
            yield f"its code block {block} is not the original's: {mine[1].splitlines()[:1]}"


def _mistakes(document: dict) -> Iterator[str]:
    if not isinstance(document, dict) or "kind" not in document:
        return
    group = document.get("apiVersion", "").rpartition("/")[0]
    kind = registry.by_kind(group, document["kind"])
    if kind is None:
        yield f"no kind {document['kind']} of {document.get('apiVersion')}"
        return
    report = check_object(kind, document)
    yield from (f"{document['kind']}: {error.path}: {error.message}" for error in report.errors)
    yield from (f"{document['kind']}: unknown field {path}" for path in report.unknown)


def _arguments(rest: str) -> list[str]:
    """The words of a command up to where the shell takes over."""
    lexer = shlex.shlex(rest, posix=True, punctuation_chars="|&;<>()")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in lexer:
        if word in _ENDS:
            return words[:-1] if word.startswith((">", "<")) and words[-1:] == ["2"] else words
        words.append(word)
    return words


def _without_blocks(text: str) -> str:
    """The text with its code blocks emptied, lines kept."""
    return _FENCE.sub(lambda match: "\n" * match[0].count("\n"), text)


def main() -> int:
    """Print what is wrong."""
    found = [*check(), *(f"{path.relative_to(ROOT)}: stale" for path in reference.stale())]
    for line in found:
        print(line)
    print(f"{len(documents())} documents, {len(found) or 'no'} mistakes")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
