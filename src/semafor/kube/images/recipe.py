"""How a well-known image is made of this machine: a value, so that equal recipes share a layer."""

import importlib.resources
import shlex
from pathlib import Path

from semafor.base.struct import Value
from semafor.kube.images import environment, shelf
from semafor.kube.images.host import Host
from semafor.kube.images.image import Config

_PROGRAMS = "/usr/local/lib/semafor"
# A volume at /root hides an interpreter that lives below it: then it is the machine's own.
_SCRIPT = """#!/bin/sh
python={python}
[ -x "$python" ] || python=/usr/bin/python3
PYTHONPATH={programs} exec "$python" -P -s -S -m {name} "$@"
"""


class Recipe(Value):
    """What an image is made of. `missing` is a sentence when this machine cannot have it; then nothing else counts.

    `files` are (path inside, content) pairs, all executable; `links` are (path inside, where to) pairs; `python` adds
    the virtual environment below them.
    """

    config: Config = Config()
    files: tuple[tuple[str, str], ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    binds: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    python: bool = False
    missing: str = ""


def program(host: Host, name: str, command: str, packages: tuple[str, ...] = ()) -> tuple[tuple[str, str], ...]:
    """The files that give an image a program of ours, `programs/<name>`, as the command `command` (a path inside).

    A name with a dot is a module of a package. It runs on the host's interpreter with the standard library and, of all
    installed packages, only those named: pure Python, copied beside it.
    """
    script = _SCRIPT.format(python=shlex.quote(host.python), programs=_PROGRAMS, name=name)
    own = _sources("semafor.kube.images.programs", name.partition(".")[0])
    installed = (file for package in packages for file in _sources("", package))
    return (*own, *installed, (command, script))


def _sources(parent: str, name: str) -> tuple[tuple[str, str], ...]:
    """The files of a module, or of a package without packages in it."""
    folder = importlib.resources.files(parent).joinpath(name) if parent else importlib.resources.files(name)
    if not folder.is_dir():
        module = importlib.resources.files(parent).joinpath(f"{name}.py")
        return ((f"{_PROGRAMS}/{name}.py", module.read_text("utf-8")),)
    modules = sorted((part for part in folder.iterdir() if part.name.endswith(".py")), key=lambda part: part.name)
    return tuple((f"{_PROGRAMS}/{name}/{part.name}", part.read_text("utf-8")) for part in modules)


def layers(recipe: Recipe, host: Host, store: shelf.Shelf) -> tuple[str, ...]:
    """The layers of a recipe, top first; made when they are not there yet."""
    made = []
    if recipe.files or recipe.links:
        key = shelf.key("recipe", recipe.files, recipe.links)
        made.append(store.make_layer(key, lambda folder: _write(recipe, folder)))
    if recipe.python:
        key = shelf.key(environment.recipe(host))
        made.append(store.make_layer(key, lambda folder: environment.make(host, folder)))
    return tuple(str(layer) for layer in made)


def _write(recipe: Recipe, folder: Path) -> None:
    for path, content in recipe.files:
        target = folder / path.removeprefix("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, "utf-8")
        target.chmod(0o755)
    for path, where in recipe.links:
        target = folder / path.removeprefix("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(where)
