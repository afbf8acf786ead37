"""Settings of one line, as `--set` takes them: `components.egressGateways[0].enabled=false`.

Source: istioctl's reference of `install --set`; its paths of overlays have selectors as well, `env.[name:LOG].value`.
"""

import re
from typing import Any

from semafor.base.struct import Value

Doc = dict[str, Any]

_PART = re.compile(
    r"(?P<key>(?:\\.|[^.\[\]=\\])+)|\[(?P<index>\d+|-1)\]|\[(?P<name>[^:\]]*):(?P<value>[^\]]*)\]|(?P<dot>\.)"
)
_TOO_FAR = 64  # places of a list: an index beyond is a slip of the finger, not a list


class Selected(Value):
    """The element of a list whose field `name` is `value`; without a name the element that is equal to it."""

    name: str
    value: str


Step = str | int | Selected


class WrongPath(ValueError):  # noqa: N818 - named for what the path is
    """What is wrong with the path, in words."""


def parse(text: str) -> tuple[Step, ...]:
    """The steps of a path. Raises WrongPath."""
    steps: list[Step] = []
    at = 0
    while at < len(text):
        found = _PART.match(text, at)
        if found is None:
            raise WrongPath(f"{text!r} is not understood at {text[at:]!r}")
        if found["key"] is not None:
            steps.append(re.sub(r"\\(.)", r"\1", found["key"]))
        elif found["index"] is not None:
            steps.append(int(found["index"]))
        elif found["value"] is not None:
            steps.append(Selected(found["name"], found["value"]))
        at = found.end()
    if not steps or not isinstance(steps[0], str):
        raise WrongPath(f"{text!r} does not begin with the name of a field")
    return tuple(steps)


def setting(text: str) -> tuple[tuple[Step, ...], Any]:
    """The path and the value of `a.b[0].c=v`. Numbers and true, false, null count as such. Raises WrongPath."""
    path, equals, value = text.partition("=")
    if not equals:
        raise WrongPath(f"{text!r} has no value: write KEY=VALUE")
    return parse(path.removeprefix("spec.")), typed(value)


def typed(text: str) -> Any:
    """The value that a text stands for; in braces a list, `{a,b}`."""
    if text.startswith("{") and text.endswith("}"):
        return [typed(part.strip()) for part in text[1:-1].split(",") if part.strip()]
    if text in {"true", "false"}:
        return text == "true"
    if text in {"null", ""}:
        return None if text else ""
    return int(text) if re.fullmatch(r"-?(0|[1-9]\d{0,17})", text) else text


def put(tree: Any, steps: tuple[Step, ...], value: Any) -> Any:
    """A copy of the tree with the value at the path, and with what was missing on the way. Raises WrongPath."""
    if not steps:
        return value
    first, rest = steps[0], steps[1:]
    if isinstance(first, str):
        if tree is not None and not isinstance(tree, dict):
            raise WrongPath(f"{first} is not within a mapping, but within {tree!r}")
        known: Doc = tree or {}
        return {**known, first: put(known.get(first), rest, value)}
    if tree is not None and not isinstance(tree, list):
        raise WrongPath(f"[{_shown(first)}] is for lists, and this is {tree!r}")
    items = list(tree or ())
    index = _index(items, first)
    if index == len(items):
        items.append({first.name: first.value} if isinstance(first, Selected) and first.name else None)
    items[index] = put(items[index], rest, value)
    return items


def _index(items: list[Any], step: int | Selected) -> int:
    """Where the element is; one after the last when there is none yet."""
    if isinstance(step, int):
        if step > len(items) or step >= _TOO_FAR:
            raise WrongPath(f"[{step}] is beyond the list, which has {len(items)} elements")
        return len(items) - 1 if step == -1 and items else max(step, 0)
    for index, item in enumerate(items):
        if str(item.get(step.name) if step.name and isinstance(item, dict) else item) == step.value:
            return index
    return len(items)


def _shown(step: int | Selected) -> str:
    return str(step) if isinstance(step, int) else f"{step.name}:{step.value}"


def without(tree: Any, steps: tuple[Step, ...]) -> Any:
    """A copy of the tree without what is at the path. Raises WrongPath when nothing is there."""
    first, rest = steps[0], steps[1:]
    if isinstance(first, str):
        if not isinstance(tree, dict) or first not in tree:
            raise WrongPath(f"there is no {first}")
        inner = {first: without(tree[first], rest)} if rest else {}
        return {key: value for key, value in tree.items() if key != first} | inner
    if not isinstance(tree, list) or (index := _index(tree, first)) >= len(tree):
        raise WrongPath(f"there is no [{_shown(first)}]")
    inner_list = [without(tree[index], rest)] if rest else []
    return [*tree[:index], *inner_list, *tree[index + 1 :]]
