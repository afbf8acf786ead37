"""What may be written in an installation, as a tree: each key has a type, or the reason why it has no effect.

A tree is a mapping of names (`*` stands for any), a list of one tree, a typed struct, a word for a plain type, or Idle.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from semafor.resources import check

Plain = Literal["bool", "count", "number", "text", "any", "texts", "tag"]


class Idle(NamedTuple):
    """A key of Istio's without an effect, and why."""

    why: str


Tree = Any  # Mapping[str, Tree] | list[Tree] | type[msgspec.Struct] | Plain | Idle
NO_CLUSTERS = Idle("there is one machine, and no second cluster")
THE_MACHINES = Idle("what runs here is the machine's own Envoy, not an image of a registry")


class Remark(NamedTuple):
    """What is wrong with one key. `is_error`: the installation cannot be made of it."""

    path: str
    reason: str
    message: str
    fix: str
    is_error: bool = False


def remarks(tree: Tree, written: Any, path: str) -> Iterator[Remark]:
    """Everything that is wrong with what is written at the path; null stands for nothing."""
    if written is None:
        return
    if isinstance(tree, Idle):
        if written in ("", [], {}):
            return  # which says nothing
        yield Remark(path, "NotSupported", f"has no effect: {tree.why}", "remove it")
    elif isinstance(tree, Mapping):
        yield from _mapping(tree, written, path)
    elif isinstance(tree, list):
        yield from _list(tree[0], written, path)
    elif isinstance(tree, type):
        yield from _typed(tree, written, path)
    elif why := _unfit(tree, written):
        yield wrong(path, f"{_short(written)} is not {why}", f"write {why}")


def _mapping(tree: Mapping[str, Tree], written: Any, path: str) -> Iterator[Remark]:
    if not isinstance(written, dict):
        yield wrong(path, f"{_short(written)} is not a mapping", f"write keys below it: {', '.join(list(tree)[:4])}")
        return
    for key, value in written.items():
        inner = tree.get(str(key), tree.get("*"))
        here = f"{path}.{key}" if path else str(key)
        if inner is not None:
            yield from remarks(inner, value, here)
        else:
            near = difflib.get_close_matches(str(key), [name for name in tree if name != "*"], n=1)
            fix = f"did you mean {near[0]}?" if near else "remove it"
            yield Remark(here, "UnknownField", "has no effect: Istio has no such key", fix)


def _list(tree: Tree, written: Any, path: str) -> Iterator[Remark]:
    if not isinstance(written, list):
        yield wrong(path, f"{_short(written)} is not a list", "write a list")
        return
    for index, item in enumerate(written):
        if item is None:
            yield wrong(f"{path}[{index}]", "there is nothing", "remove it")
        yield from remarks(tree, item, f"{path}[{index}]")


def _typed(struct: type[msgspec.Struct], written: Any, path: str) -> Iterator[Remark]:
    report = check.check_part(struct, written)
    for error in report.errors:
        inside = "" if error.path in {"", "<root>"} else f".{error.path}"
        yield wrong(path + inside, re.sub(r"^(Invalid|Unsupported) value: ", "", error.message), "mend it")
    for field in report.unknown:
        yield Remark(f"{path}.{field}", "UnknownField", "has no effect: Kubernetes has no such field", "remove it")


def _unfit(plain: Plain, written: Any) -> str:
    """What the value should be; empty when it is that."""
    fits = {
        "bool": isinstance(written, bool),
        "count": isinstance(written, int) and not isinstance(written, bool) and written >= 0,
        "number": isinstance(written, int | float) and not isinstance(written, bool) and written >= 0,
        "text": isinstance(written, str),
        "tag": isinstance(written, str | int | float),
        "texts": isinstance(written, dict) and all(isinstance(each, str) for each in written.values()),
        "any": True,
    }
    words = {"bool": "true or false", "count": "a whole number from 0", "number": "a number from 0", "text": "a text"}
    return "" if fits[plain] else words.get(plain, "a mapping of names to texts")


def wrong(path: str, message: str, fix: str) -> Remark:
    """A value of which no installation can be made."""
    return Remark(path, "InvalidValue", message, fix, is_error=True)


def _short(written: Any) -> str:
    text = repr(written)
    return text if len(text) < 60 else text[:57] + "..."


def leaves(tree: Tree, path: str = "") -> Iterator[tuple[str, Tree]]:
    """Every key at which the tree ends, for the reference: `global.proxy.logLevel`."""
    if isinstance(tree, Mapping):
        for key, inner in tree.items():
            yield from leaves(inner, f"{path}.{key}" if path else key)
    elif isinstance(tree, list) and isinstance(tree[0], Mapping):
        yield from leaves(tree[0], f"{path}[]")
    else:
        yield path, tree
