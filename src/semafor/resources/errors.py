"""What is wrong with a document, in Kubernetes' words.

FieldError      one wrong field, a value; many are collected
DecodeError     a document that has no typed view; raised by `resources.decode`
"""

from collections.abc import Iterable
from typing import Any

from semafor.base.struct import Value
from semafor.resources import marks


class FieldError(Value):
    """One wrong field. `reason` is a cause of metav1.Status; `message` says what is wrong without naming the path."""

    path: str
    reason: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class DecodeError(ValueError):
    """The document cannot be read as its kind. `path` is the field, `message` says why."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.path = path
        self.message = message


def required(path: str, detail: str = "") -> FieldError:
    """A field that must be there, or must not be empty, is not."""
    return FieldError(path=path, reason="FieldValueRequired", message=_with("Required value", detail))


def invalid(path: str, value: Any, detail: str) -> FieldError:
    """A value that breaks a rule; `detail` names the rule."""
    return FieldError(path=path, reason="FieldValueInvalid", message=f"Invalid value: {marks.quoted(value)}: {detail}")


def mistyped(path: str, value: Any, expected: str) -> FieldError:
    """A value of another JSON type than `expected`."""
    found = _json_type(value)
    detail = f'{path} must be of type {expected}: "{found}"'
    return FieldError(
        path=path, reason="FieldValueTypeInvalid", message=f"Invalid value: {marks.quoted(value)}: {detail}"
    )


def not_supported(path: str, value: Any, allowed: Iterable[str]) -> FieldError:
    """A word that is not among the allowed ones."""
    words = ", ".join(f'"{word}"' for word in sorted(allowed))
    message = f"Unsupported value: {marks.quoted(value)}: supported values: {words}"
    return FieldError(path=path, reason="FieldValueNotSupported", message=message)


def duplicate(path: str, value: Any) -> FieldError:
    """A value that another item has already."""
    return FieldError(path=path, reason="FieldValueDuplicate", message=f"Duplicate value: {marks.quoted(value)}")


def forbidden(path: str, detail: str) -> FieldError:
    """A field that may not be set here."""
    return FieldError(path=path, reason="FieldValueForbidden", message=_with("Forbidden", detail))


def not_found(path: str, value: Any) -> FieldError:
    """A name that leads to nothing within the document."""
    return FieldError(path=path, reason="FieldValueNotFound", message=f"Not found: {marks.quoted(value)}")


def too_many(path: str, count: int, most: int) -> FieldError:
    """A list that is too long."""
    message = f"Too many: {count}: must have at most {most} items"
    return FieldError(path=path, reason="FieldValueTooMany", message=message)


def too_long(path: str, most: int) -> FieldError:
    """A text that is too long."""
    return FieldError(path=path, reason="FieldValueTooLong", message=f"Too long: may not be more than {most} bytes")


def remark(path: str, detail: str) -> FieldError:
    """Something that is allowed, and likely not meant: for `Kind.remarks`."""
    return FieldError(path=path, reason="Warning", message=detail)


def _with(word: str, detail: str) -> str:
    return f"{word}: {detail}" if detail else word


def _json_type(value: Any) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return "null" if value is None else names.get(type(value), type(value).__name__)
