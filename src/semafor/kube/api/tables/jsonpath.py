"""The part of JSONPath that columns use: `.a.b`, `.a['b.c']`, `.a\\.b`, `[0]`, `[*]`, `[?(@.type=="Ready")]`."""

import re
from collections.abc import Callable, Iterator
from typing import Any

Step = Callable[[Any], Iterator[Any]]
Path = tuple[Step, ...]

_TOKEN = re.compile(
    r"\.(?P<field>(?:\\.|[^.\[\]\\])+)"
    r"|\[(?P<index>-?\d+)\]"
    r"|\[(?P<all>\*)\]"
    r"|\[['\"](?P<quoted>[^'\"]+)['\"]\]"
    r"|\[\?\(@\.(?P<key>[\w.-]+)\s*==\s*['\"](?P<value>[^'\"]*)['\"]\)\]"
)


def parse(text: str) -> Path:
    """The steps of a path. Raises ValueError for what is not in the subset."""
    steps: list[Step] = []
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise ValueError(f"unsupported JSONPath at {text[position:]!r} of {text!r}")
        steps.append(_step(found))
        position = found.end()
    return tuple(steps)


def first(path: Path, doc: Any) -> Any:
    """The first value that the path leads to, None when it leads nowhere."""
    values = [doc]
    for step in path:
        values = [found for value in values for found in step(value)]
    return next(iter(values), None)


def _step(found: re.Match[str]) -> Step:
    if found["index"]:
        return _index(int(found["index"]))
    if found["all"]:
        return _all
    if found["key"]:
        return _where(found["key"], found["value"])
    return _field(found["quoted"] or re.sub(r"\\(.)", r"\1", found["field"]))


def _field(name: str) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, dict) and name in value:
            yield value[name]

    return step


def _index(number: int) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list) and -len(value) <= number < len(value):
            yield value[number]

    return step


def _all(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _where(key: str, wanted: str) -> Step:
    def step(value: Any) -> Iterator[Any]:
        for item in value if isinstance(value, list) else ():
            if isinstance(item, dict) and str(item.get(key)) == wanted:
                yield item

    return step
