"""The references of commands and of problems, made by asking the code: parts of `python -m tests.reference`."""

import ast
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

from semafor.app.cli import root

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "src" / "semafor"
_COMMANDS = """\
# Commands

Written by `python -m tests.reference --write` from the code; do not edit. Exit codes: 0 done, 1 failed, 2 wrong usage;
`analyze` ends with 79 when it has found something. What each prints with `-h`:
"""
_PROBLEMS = """\
# Problems

Written by `python -m tests.reference --write` from the code; do not edit. What the planner finds wrong with objects, by
reason: the word is in `status.validationMessages` and, where Istio and Kiali have no code for it, in `semafor analyze`
([codes](../analyzers.md)); the message is in the warnings of `kubectl apply`, too. In braces stands what it names.
"""


def commands() -> str:
    """The page of commands: the help of each, in the order of `semafor --help`.

    Told in a process of its own: a command keeps the option for help that it was first asked with.
    """
    done = subprocess.run([sys.executable, "-m", __name__], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


def _page() -> str:
    parts = [_COMMANDS]
    top = click.Context(root, info_name="semafor", terminal_width=100, **root.context_settings)
    for words, command, context in _every(root, top):
        said = command.get_help(context).rstrip().replace(tempfile.gettempdir(), "/tmp")
        parts.append(f"## {' '.join(words)}\n\n```text\n{said}\n```\n")
    return "\n".join(parts)


def _every(
    command: click.Command, context: click.Context, words: tuple[str, ...] = ("semafor",)
) -> Iterator[tuple[tuple[str, ...], click.Command, click.Context]]:
    yield words, command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None and not below.hidden:
                inner = click.Context(below, parent=context, info_name=name, terminal_width=100)
                yield from _every(below, inner, (*words, name))


def problems() -> str:
    """The page of problems: reason, words and mend as the code writes them."""
    rows = sorted(dict.fromkeys(row for path in _modules() for row in _rows(path)))
    table = "\n".join(f"| `{reason}` | {message} | {fix} |" for reason, message, fix in rows)
    return f"{_PROBLEMS}\n| reason | message | mend |\n| --- | --- | --- |\n{table}\n"


def _modules() -> list[Path]:
    return sorted((SOURCES / "planner" / "checks").glob("*problems.py"))


def _rows(path: Path) -> Iterator[tuple[str, str, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"problem", "Problem"}:
            given = {key.arg: key.value for key in node.keywords}
            found = node.args[1] if len(node.args) > 1 else given.get("reason")
            message = node.args[2] if len(node.args) > 2 else given.get("message")
            reason = _text(found)
            if re.fullmatch("[A-Z][A-Za-z]+", reason) and message is not None:
                yield reason, _text(message), _text(given.get("fix"))


def _text(node: ast.expr | None) -> str:
    """A text as the code has it, with the names of what is filled in."""
    match node:
        case ast.Constant(value=str() as text):
            shown = text
        case ast.JoinedStr(values=parts):
            shown = "".join(_text(part) if isinstance(part, ast.Constant) else f"{{{_name(part)}}}" for part in parts)
        case ast.IfExp(body=one, orelse=other):
            shown = f"{_text(one)}, or {_text(other)}"
        case None:
            shown = ""
        case _:
            shown = f"{{{ast.unparse(node)}}}"
    return shown.replace("|", "\\|").replace("<", "&lt;")


def _name(part: ast.expr) -> str:
    return ast.unparse(part.value) if isinstance(part, ast.FormattedValue) else ""


if __name__ == "__main__":
    print(_page(), end="")
