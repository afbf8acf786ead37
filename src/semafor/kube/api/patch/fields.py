"""Sets of field paths, and `fieldsV1`, their written form (sigs.k8s.io/structured-merge-diff, package fieldpath).

A path is a tuple of steps, written as in fieldsV1: `f:spec` a field, `k:{"name":"app"}` the element of a list with
these keys, `v:"x"` the element of a set with this value. A path being in a set says nothing about the paths below.

A set has two forms: a frozenset of paths, for algebra, and a tree, as fieldsV1 writes it, for what is stored. In a
tree `{}` is a path that is in the set, and `.` says so of one that has others below. Trees are never changed: `plus`
and `minus` copy only the way to a change, so that noting a small change of a large object costs little.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from semafor.kube.api.patch.documents import MAX_DEPTH

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


def encode(paths: Iterable[Path]) -> Tree:
    """The tree of a set."""
    return plus({}, sorted(paths))


def plus(tree: Tree, paths: Iterable[Path]) -> Tree:
    """The tree with these paths in it."""
    changed = {}
    for step, rests in _by_first_step(paths).items():
        below = tree.get(step)
        grown = _grown(below, rests)
        if grown is not below:
            changed[step] = grown
    return {**tree, **changed} if changed else tree


def minus(tree: Tree, paths: Iterable[Path]) -> Tree:
    """The tree without these paths; what lies below them stays."""
    changed = {}
    for step, rests in _by_first_step(paths).items():
        below = tree.get(step)
        if below is not None and (left := _left(below, rests)) is not below:
            changed[step] = left
    if not changed:
        return tree
    merged = {**tree, **changed}
    return {step: below for step, below in merged.items() if below is not None}


def holds(tree: Tree, path: Path) -> bool:
    """Whether the path is in the set."""
    for step in path[:-1]:
        tree = tree.get(step, {})
    return has(tree, path[-1])


def decode(tree: Tree) -> Fields:
    """The set that a tree describes."""
    return frozenset(_decode(tree, ()))


def require_tree(written: Any) -> Tree:
    """The value as a tree. Raises ValueError when it is not one, looking at it without recursion."""
    level = [written]
    for _ in range(MAX_DEPTH):
        if not all(isinstance(node, dict) and all(_is_step(key) for key in node) for node in level):
            raise ValueError("fieldsV1 must be objects whose keys are steps of paths")
        level = [below for node in level for below in node.values() if below != {}]
        if not level:
            tree: Tree = written
            return tree
    raise ValueError(f"fieldsV1 nests deeper than {MAX_DEPTH} levels")


def has(tree: Tree, step: str) -> bool:
    """Whether the path of this one step is in the set, not only paths below it."""
    below = tree.get(step)
    return below is not None and (not below or _SELF in below)


def text(path: Path) -> str:
    """The path as kube-apiserver prints it: `.spec.containers[name="app"].image`."""
    return "".join(_step_text(step) for step in path)


def _by_first_step(paths: Iterable[Path]) -> dict[str, list[Path]]:
    """The paths without their first steps: each node of a tree is copied once, however many paths lead through it."""
    found: dict[str, list[Path]] = {}
    for path in paths:
        found.setdefault(path[0], []).append(path[1:])
    return found


def _grown(below: Tree | None, rests: list[Path]) -> Tree:
    itself = () in rests or (below is not None and (not below or _SELF in below))
    inner = plus({} if below is None else below, [rest for rest in rests if rest])
    return {_SELF: {}, **inner} if itself and inner and _SELF not in inner else inner


def _left(below: Tree, rests: list[Path]) -> Tree | None:
    """None when nothing is left: an empty tree would be a path that is in the set."""
    removed = () in rests
    itself = not removed and (not below or _SELF in below)
    inner = minus(below, [rest for rest in rests if rest])
    if inner is below and not removed:
        return below
    others = {step: node for step, node in inner.items() if step != _SELF}
    if itself:
        return {_SELF: {}, **others} if others else {}
    return others or None


def _is_step(key: str) -> bool:
    return key.startswith(_STEPS) or key == _SELF


def _decode(tree: Tree, path: Path) -> Iterable[Path]:
    for step, below in tree.items():
        if step == _SELF:
            yield path
        elif below:
            yield from _decode(below, (*path, step))
        else:
            yield (*path, step)


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
