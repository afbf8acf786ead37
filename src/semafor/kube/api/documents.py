"""A client's document, understood: its types are right, and what its kind does not have is taken out or refused."""

from typing import Any

from semafor.base.struct import Value
from semafor.kube.api import errors, fields
from semafor.kube.api.call import Call
from semafor.resources import check
from semafor.resources.errors import FieldError
from semafor.resources.kind import Kind
from semafor.resources.shape import shape_of

Doc = dict[str, Any]


class Understood(Value):
    """The document without nulls and unknown fields, and what kubectl shall warn of."""

    doc: Doc
    warnings: tuple[str, ...] = ()


def understand(call: Call, doc: Doc) -> Understood:
    """Check the types of a document, and its fields as `call.validation` says. Raises StatusError 400 or 422."""
    if call.trusted:
        return Understood(doc=fields.known(shape_of(call.kind), doc))
    report = check.check(call.kind, doc)
    mistyped = [error for error in report.errors if error.reason == "FieldValueTypeInvalid"]
    if mistyped:
        raise _mistyped(call, doc, mistyped)
    strange = [f'unknown field "{path}"' for path in report.unknown]
    if strange and call.validation == "Strict":
        raise strict_error(call, strange)
    warnings = [*_no_effect(call), *(strange if call.validation == "Warn" else ())]
    return Understood(doc=fields.known(shape_of(call.kind), doc), warnings=tuple(warnings))


def strict_error(call: Call, findings: list[str]) -> errors.StatusError:
    """The refusal of `fieldValidation=Strict`, worded as kube-apiserver does."""
    what = f'{call.kind.kind} in version "{call.version}" cannot be handled as a {call.kind.kind}'
    return errors.bad_request(f"{what}: strict decoding error: {', '.join(findings)}")


def _mistyped(call: Call, doc: Doc, wrong: list[FieldError]) -> errors.StatusError:
    meta = doc.get("metadata") if isinstance(doc, dict) else None
    if call.kind.custom:
        name = meta.get("name") if isinstance(meta, dict) else None
        return errors.invalid(call.kind, str(name or call.name), wrong)
    what = f'{call.kind.kind} in version "{call.version}" cannot be handled as a {call.kind.kind}'
    return errors.bad_request(f"{what}: {'; '.join(str(error) for error in wrong)}")


def _no_effect(call: Call) -> tuple[str, ...]:
    if call.kind.effect or call.subresource:
        return ()
    return (no_effect(call.kind),)


def no_effect(kind: Kind) -> str:
    """The warning for a kind that is stored, while nothing acts on it yet."""
    name = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
    return f"{name} has no effect yet: Semafor stores it and acts on it in a later release"
