"""What the options of these commands ask for, as the spec of an IstioOperator."""

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
import yaml

from semafor.app import installing
from semafor.app.cli import output
from semafor.app.cli.output import Failure
from semafor.base.problem import Problem
from semafor.installation import Installation, Layer, merge, paths, spec
from semafor.resources import check
from semafor.resources.install import istio_operator

Doc = dict[str, Any]
_C = TypeVar("_C", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--revision", "-r", default="", help="The revision that it is for: one beside the others."),
    click.option(
        "--set",
        "-s",
        "settings",
        multiple=True,
        metavar="KEY=VALUE",
        help="A setting of the IstioOperator's spec: components.egressGateways[0].enabled=false.",
    ),
    click.option(
        "--filename",
        "-f",
        "names",
        multiple=True,
        metavar="FILE",
        help="A file with an IstioOperator; of several, later ones win. - is the standard input.",
    ),
)


def options(command: _C) -> _C:
    """`-f`, `--set` and `--revision`, as istioctl has them."""
    for option in _OPTIONS:
        command = option(command)
    return command


def asked(names: Sequence[str], settings: Sequence[str], revision: str = "") -> Doc:
    """The spec that files and settings make together. Raises Failure and UsageError."""
    return over({}, names, settings, revision)


def over(known: Doc, names: Sequence[str], settings: Sequence[str], revision: str) -> Doc:
    """The same on top of a spec that is there."""
    made = known
    for name in names:
        for document in _documents(name):
            made = merge.overlay(made, document.get("spec") or {})
    try:
        profiles = [value for steps, value in map(paths.setting, settings) if steps == ("profile",)]
        made = spec.with_settings(made | ({"profile": profiles[-1]} if profiles else {}), settings)
    except paths.WrongPath as error:
        raise click.UsageError(f"--set: {error}") from error
    return made | ({"revision": revision} if revision else {})


def _documents(name: str) -> Iterator[Doc]:
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
        documents = [each for each in yaml.safe_load_all(text) if each]
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Failure(f"{name} is no YAML: {error}") from error
    for document in documents:
        if not isinstance(document, dict) or document.get("kind") != "IstioOperator":
            raise Failure(f"{name} holds something that is no IstioOperator", "leave only that in the file")
        if errors := check.check(istio_operator.KIND, document).errors:
            raise Failure("\n".join(f"{name}: {error.path}: {error.message}" for error in errors))
        yield document
    if not documents:
        raise Failure(f"{name} holds no IstioOperator")


def checked(wanted: Doc, home: spec.Home = "machine") -> Installation:
    """The installation of the spec. Says what has no effect. Raises Failure with all that is wrong."""
    made, problems = installing.resolve([Layer(spec.ref(spec.owner(spec.revision(wanted))), wanted)], home=home)
    if wrong := [problem for problem in problems if problem.severity == "error"]:
        raise Failure("this cannot be installed:\n" + "\n".join(f"  {worded(problem)}" for problem in wrong))
    for problem in problems:
        output.note(f"note: {worded(problem)}")
    return made


def worded(problem: Problem) -> str:
    """A problem without the name of the object, which is the command's own."""
    text = f"{problem.path.removeprefix('spec.')}: {problem.message}"
    return f"{text} ({problem.fix})" if problem.fix else text


def confirm(question: str, *, skip: bool) -> None:
    """Ask on a terminal; elsewhere nobody could answer. Raises Abort."""
    if not skip and sys.stdin.isatty():
        click.confirm(question, default=False, abort=True)
