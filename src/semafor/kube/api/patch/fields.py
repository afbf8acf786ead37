"""Sets of field paths, and `fieldsV1`, their written form (sigs.k8s.io/structured-merge-diff, package fieldpath).

A path is a tuple of steps, written as in fieldsV1: `f:spec` a field, `k:{"name":"app"}` the element of a list with
these keys, `v:"x"` the element of a set with this value. A set is a plain frozenset of paths; a path being in it says
nothing about the paths below.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from semafor.kube.api.patch.documents import require_shallow

Path = tuple[str, ...]
Fields = frozenset[Path]
Tree = dict[str, Any]

NONE: Fields = frozenset()
_SELF = "."
_STEPS = ("f:", "k:", "v:", "i:")


def field(name: str) -> str:
    return f"f:{name}"


def keyed(keys: Mapping[str, Any]) -> str:
    return "k:" + _compact(keys)


def value(of: Any) -> str:
    return "v:" + _compact(of)


def encode(fields: Iterable[Path]) -> Tree:
    """fieldsV1: one object per step, `.` where a path that has others below is itself in the set."""
    tree: Tree = {}
    for path in sorted(fields):
        node = tree
        for step in path[:-1]:
            node = node.setdefault(step, {})
        node[path[-1]] = {}
    _mark_inner(tree, (), frozenset(fields))
    return tree


def decode(tree: Any) -> Fields:
    """The set that fieldsV1 describes. Raises MalformedError or ValueError for anything else."""
    require_shallow(tree)
    return frozenset(_decode(tree, ()))


def has(tree: Tree, step: str) -> bool:
    """Whether the path of this one step is in the set, not only paths below it."""
    below = tree.get(step)
    return below is not None and (not below or _SELF in below)


def text(path: Path) -> str:
    """The path as kube-apiserver prints it: `.spec.containers[name="app"].image`."""
    return "".join(_step_text(step) for step in path)


def _mark_inner(tree: Tree, path: Path, fields: Fields) -> None:
    for step, below in tree.items():
        if not below:
            continue
        _mark_inner(below, (*path, step), fields)
        if (*path, step) in fields:
            tree[step] = {_SELF: {}, **below}


def _decode(tree: Any, path: Path) -> Iterable[Path]:
    if not isinstance(tree, dict):
        raise ValueError(f"fieldsV1 must be an object at {text(path) or 'its top'}")  # noqa: TRY004 - one error for all
    for step, below in tree.items():
        if step == _SELF:
            yield path
            continue
        if not step.startswith(_STEPS):
            raise ValueError(f"fieldsV1 has an unknown step {step!r}")
        if below == {}:
            yield (*path, step)
        else:
            yield from _decode(below, (*path, step))


def _step_text(step: str) -> str:
    kind, rest = step[:2], step[2:]
    if kind == "f:":
        return f".{rest}"
    if kind == "i:":
        return f"[{rest}]"
    try:
        known = json.loads(rest)
    except ValueError:
        return f"[{rest}]"
    if kind == "k:" and isinstance(known, dict):
        return "[" + ",".join(f"{key}={_compact(each)}" for key, each in sorted(known.items())) + "]"
    return f"[={_compact(known)}]"


def _compact(of: Any) -> str:
    return json.dumps(of, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
