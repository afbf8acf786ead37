"""One document over another; and what an installation changes in an object that users may have changed as well."""

import json
from collections.abc import Callable
from typing import Any

import yaml

Doc = dict[str, Any]

_NAMED = ("ingressGateways", "egressGateways")  # lists whose elements are told apart by their names
_TEXTS: dict[str, Callable[[str], Any]] = {
    "mesh": yaml.safe_load,
    "values": json.loads,
}  # of ConfigMaps: documents within texts


def overlay(under: Any, over: Any, *, name: str = "") -> Any:
    """`over` on top of `under`: mappings are joined, gateways by their names; every other value replaces."""
    if isinstance(under, dict) and isinstance(over, dict):
        return {**under, **{key: overlay(under.get(key), value, name=key) for key, value in over.items()}}
    if name in _NAMED and isinstance(under, list) and isinstance(over, list) and _named(under) and _named(over):
        mine = {item["name"]: item for item in over}
        kept = [overlay(item, mine.pop(item["name"], {})) for item in under]
        return [*kept, *mine.values()]
    return under if over is None and under is not None else over


def _named(items: list[Any]) -> bool:
    return all(isinstance(item, dict) and isinstance(item.get("name"), str) for item in items)


def changed(last: Doc | None, wanted: Doc, live: Doc) -> Doc:
    """The live object with what the installation wants otherwise than the last time; the user's changes stay.

    `last` is what was wanted the last time; None when nobody knows, and then what is there wins.
    """
    made: Doc = _merged(opened(last) if last is not None else None, opened(wanted), opened(live))
    return _close(made, live)


def _merged(last: Any, wanted: Any, live: Any) -> Any:
    if isinstance(wanted, dict) and isinstance(live, dict):
        return _mapping(last if isinstance(last, dict) or last is None else {}, wanted, live)
    if last is None:
        return live
    if wanted == last:
        return live
    if isinstance(wanted, list) and isinstance(live, list) and _named(wanted) and _named(live):
        return _list(last if isinstance(last, list) and _named(last) else [], wanted, live)
    return wanted


def _mapping(last: Doc | None, wanted: Doc, live: Doc) -> Doc:
    made = dict(live)
    for key, value in wanted.items():
        if key in live:
            made[key] = _merged(None if last is None else last.get(key, _ABSENT), value, live[key])
        elif last is None or last.get(key, _ABSENT) != value:
            made[key] = value
    for key in (last or {}).keys() - wanted.keys():
        if key in live:
            left = _without((last or {})[key], live[key])
            made = {**made, key: left} if left is not _ABSENT else {k: v for k, v in made.items() if k != key}
    return made


def _without(last: Any, live: Any) -> Any:
    """What is left of a value that is not wanted any more: what users have put there."""
    if isinstance(last, dict) and isinstance(live, dict):
        left = {
            key: kept
            for key in live
            if (kept := _without(last[key], live[key]) if key in last else live[key]) is not _ABSENT
        }
        return left or _ABSENT
    return _ABSENT


def _list(last: list[Doc], wanted: list[Doc], live: list[Doc]) -> list[Doc]:
    before, there = ({item["name"]: item for item in items} for items in (last, live))
    names = {item["name"] for item in wanted}
    made = [
        _merged(before.get(item["name"], {}), item, there[item["name"]]) if item["name"] in there else item
        for item in wanted
    ]
    return made + [item for item in live if item["name"] not in names and item["name"] not in before]


class _Absent:
    """Stands for a value that is not there, where None would be one."""


_ABSENT: Any = _Absent()


def opened(doc: Doc) -> Doc:
    """The object, the documents in its texts opened."""
    if doc.get("kind") != "ConfigMap":
        return doc
    texts = doc.get("data") or {}
    return {**doc, "data": {key: _read(key, text) for key, text in texts.items()}}


def _read(key: str, text: str) -> Any:
    try:
        found = _TEXTS[key](text) if key in _TEXTS else text
    except (ValueError, yaml.YAMLError):
        return text
    return found if isinstance(found, dict) else text


def _close(doc: Doc, live: Doc) -> Doc:
    """The object, its documents as texts again; those that say the same stay as they are written."""
    if doc.get("kind") != "ConfigMap":
        return doc
    before = opened(live).get("data") or {}
    data = {
        key: live["data"][key] if before.get(key) == value and key in before else written(key, value)
        for key, value in (doc.get("data") or {}).items()
    }
    return {**doc, "data": data}


def written(key: str, value: Any) -> str:
    """A document as the text of a ConfigMap's key."""
    if isinstance(value, str):
        return value
    return json.dumps(value, indent=2) if key == "values" else yaml.safe_dump(value, sort_keys=False)
