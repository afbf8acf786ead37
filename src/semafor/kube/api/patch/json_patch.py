"""JSON patch: RFC 6902 over RFC 6901 pointers."""

import json
import re
from collections.abc import Callable
from typing import Any

from semafor.kube.api.patch.documents import brief, clone, require_shallow, same
from semafor.kube.api.patch.errors import InapplicableError, MalformedError

# Both limits are kube-apiserver's; the second stops a patch that doubles the document again and again.
MAX_OPERATIONS = 10_000
MAX_COPIED_BYTES = 3 * 1024 * 1024

_INDEX = re.compile(r"0|[1-9][0-9]*")


def apply_json_patch(doc: Any, ops: Any) -> Any:
    """Apply the operations in order and return the new document; all or nothing.

    Raises MalformedError for what is not a JSON patch, InapplicableError when a path is missing or a test fails.
    """
    require_shallow(ops)
    if not isinstance(ops, list):
        raise MalformedError(f"a JSON patch must be a list of operations, not {brief(ops)}")
    if len(ops) > MAX_OPERATIONS:
        raise MalformedError(f"a JSON patch may have at most {MAX_OPERATIONS} operations, this one has {len(ops)}")
    run = _Run(clone(doc))
    for op in ops:
        run.step(op)
    require_shallow(run.root)
    return run.root


class _Run:
    """The document under work, and how many bytes `copy` may still add to it."""

    def __init__(self, root: Any) -> None:
        self.root = root
        self.left_bytes = MAX_COPIED_BYTES
        self._steps: dict[str, Callable[[dict[str, Any], list[str]], None]] = {
            "add": lambda op, path: self._add("add", path, clone(_value(op))),
            "remove": lambda _, path: self._remove("remove", path),
            "replace": self._replace,
            "move": self._move,
            "copy": self._copy,
            "test": self._test,
        }

    def step(self, op: Any) -> None:
        if not isinstance(op, dict) or op.get("op") not in self._steps:
            words = ", ".join(self._steps)
            raise (InapplicableError if isinstance(op, dict) else MalformedError)(
                f"a JSON patch operation must have an op that is one of {words}: {brief(op)}"
            )
        self._steps[op["op"]](op, _pointer(op, "path"))

    def _replace(self, op: dict[str, Any], path: list[str]) -> None:
        value = clone(_value(op))
        if not path:
            self.root = value
            return
        holder = self._get("replace", path[:-1], whole=path)
        if isinstance(holder, dict):
            holder[path[-1]] = value  # also a key that is not there, as the library that kube-apiserver uses
            return
        holder, key = self._find("replace", path)
        holder[key] = value

    def _move(self, op: dict[str, Any], path: list[str]) -> None:
        source = _pointer(op, "from")
        if path[: len(source)] == source and len(path) > len(source):
            raise InapplicableError(f"move operation does not apply: {_text(source)} cannot be moved into itself")
        value = self._get("move", source)
        if source:
            self._remove("move", source)
        self._add("move", path, value)

    def _copy(self, op: dict[str, Any], path: list[str]) -> None:
        value = self._get("copy", _pointer(op, "from"))
        self.left_bytes -= len(json.dumps(value))
        if self.left_bytes < 0:
            raise InapplicableError(f"the copy operations add more than {MAX_COPIED_BYTES} bytes")
        self._add("copy", path, clone(value))
        require_shallow(self.root)

    def _test(self, op: dict[str, Any], path: list[str]) -> None:
        try:
            found = self._get("test", path)
        except InapplicableError:
            found = None  # a missing value equals null, as in the library that kube-apiserver uses
        if not same(found, _value(op)):
            raise InapplicableError(f"testing value {_text(path)} failed: test failed")

    def _add(self, word: str, path: list[str], value: Any) -> None:
        if not path:
            self.root = value
            return
        holder = self._get(word, path[:-1], whole=path)
        if isinstance(holder, dict):
            holder[path[-1]] = value
        elif isinstance(holder, list):
            holder.insert(len(holder) if path[-1] == "-" else _index(word, path, len(holder) + 1), value)
        else:
            raise _missing(word, path)

    def _remove(self, word: str, path: list[str]) -> None:
        if not path:
            self.root = None
            return
        holder, key = self._find(word, path)
        del holder[key]

    def _get(self, word: str, path: list[str], *, whole: list[str] | None = None) -> Any:
        value = self.root
        for at, token in enumerate(path):
            if isinstance(value, dict) and token in value:
                value = value[token]
            elif isinstance(value, list):
                value = value[_index(word, path[: at + 1], len(value))]
            else:
                raise _missing(word, whole or path)
        return value

    def _find(self, word: str, path: list[str]) -> tuple[Any, Any]:
        """The holder of an existing value and its key there."""
        holder = self._get(word, path[:-1], whole=path)
        if isinstance(holder, dict) and path[-1] in holder:
            return holder, path[-1]
        if isinstance(holder, list):
            return holder, _index(word, path, len(holder))
        raise _missing(word, path)


def _value(op: dict[str, Any]) -> Any:
    if "value" not in op:
        raise MalformedError(f"the operation has no value: {brief(op)}")
    return op["value"]


def _pointer(op: dict[str, Any], field: str) -> list[str]:
    text = op.get(field)
    if not isinstance(text, str) or (text and not text.startswith("/")):
        raise MalformedError(f"the operation's {field} must be a JSON pointer that starts with /: {brief(op)}")
    return [token.replace("~1", "/").replace("~0", "~") for token in text.split("/")[1:]]


def _index(word: str, path: list[str], size: int) -> int:
    token = path[-1]
    if not _INDEX.fullmatch(token) or len(token) > 9 or int(token) >= size:
        raise InapplicableError(f"{word} operation does not apply: {_text(path)} is not an index of the list there")
    return int(token)


def _missing(word: str, path: list[str]) -> InapplicableError:
    text = _text(path)
    return InapplicableError(f'{word} operation does not apply: doc is missing path: "{text}": missing value')


def _text(path: list[str]) -> str:
    return "".join("/" + token.replace("~", "~0").replace("/", "~1") for token in path)
