"""Label and field selectors: text to a predicate. Source: Kubernetes' "Labels and Selectors", apimachinery's labels."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from semafor.base.struct import Value
from semafor.kube.api import errors

_KEY = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9.]{0,251}[A-Za-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_SET = re.compile(r"\s*(\S+)\s+(in|notin)\s*\(([^()]*)\)\s*")
_COMPARISON = re.compile(r"\s*([^\s!=<>]+)\s*(==|!=|=|>|<)\s*([^\s=!<>]*)\s*")
_EXISTS = re.compile(r"\s*(!?)\s*([^\s!=<>(),]+)\s*")
_SPLIT = re.compile(r",(?![^(]*\))")


class Requirement(Value):
    """One condition on one key. `operator` is one of in, notin, exists, !, gt, lt."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        value = labels.get(self.key)
        match self.operator:
            case "in":
                return value in self.values
            case "notin":
                return value not in self.values
            case "exists":
                return value is not None
            case "!":
                return value is None
        return value is not None and _compare(value, self.operator, self.values[0])


def _compare(value: str, operator: str, bound: str) -> bool:
    try:
        return int(value) > int(bound) if operator == "gt" else int(value) < int(bound)
    except ValueError:
        return False


class Selector(Value):
    """All requirements must hold; none means everything."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        return all(requirement.matches(labels) for requirement in self.requirements)


def parse_labels(text: str) -> Selector:
    """`app=web,tier!=db,env in (a, b),!old` as a selector. Raises StatusError 400, worded as Kubernetes does."""
    if not text.strip():
        return Selector()
    return Selector(requirements=tuple(_requirement(part, text) for part in _SPLIT.split(text)))


def _requirement(part: str, whole: str) -> Requirement:
    if found := _SET.fullmatch(part):
        values = tuple(sorted(value.strip() for value in found[3].split(",")))
        return _checked(Requirement(key=found[1], operator=found[2], values=values))
    if found := _COMPARISON.fullmatch(part):
        operator = {"=": "in", "==": "in", "!=": "notin", ">": "gt", "<": "lt"}[found[2]]
        return _checked(Requirement(key=found[1], operator=operator, values=(found[3],)))
    if found := _EXISTS.fullmatch(part):
        return _checked(Requirement(key=found[2], operator="!" if found[1] else "exists"))
    raise errors.bad_request(f"unable to parse requirement: found {part.strip()!r} in the selector {whole!r}")


def _checked(requirement: Requirement) -> Requirement:
    if not _KEY.fullmatch(requirement.key):
        raise errors.bad_request(
            f'unable to parse requirement: key: Invalid value: "{requirement.key}": name part must consist of '
            "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
        )
    for value in requirement.values:
        if not _VALUE.fullmatch(value):
            raise errors.bad_request(
                f'unable to parse requirement: values[0][{requirement.key}]: Invalid value: "{value}": a valid label '
                "must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
                "end with an alphanumeric character"
            )
    return requirement


class FieldTerm(Value):
    """`path=value`, or `path!=value` when `negated`."""

    path: str
    value: str
    negated: bool = False


def parse_fields(text: str) -> tuple[FieldTerm, ...]:
    """`metadata.name=web,status.phase!=Failed` as terms. Raises StatusError 400."""
    return tuple(_term(part, text) for part in text.split(",") if part.strip())


def _term(part: str, whole: str) -> FieldTerm:
    path, operator, value = re.split(r"(!=|==|=)", part, maxsplit=1) if "=" in part else (part, "", "")
    if not operator:
        raise errors.bad_request(
            f"invalid selector: '{whole}'; can't understand '{part}'" if "=" not in part else f"invalid: {part}"
        )
    return FieldTerm(path=path.strip(), value=value.strip(), negated=operator == "!=")


Fields = Mapping[str, Callable[[dict[str, Any]], str]]


def field_filter(terms: tuple[FieldTerm, ...], fields: Fields) -> Callable[[dict[str, Any]], bool]:
    """A predicate over documents. `fields` names what may be selected. Raises StatusError 400 for anything else."""
    for term in terms:
        if term.path not in fields:
            known = ", ".join(f'"{each}"' for each in fields)
            raise errors.bad_request(f'"{term.path}" is not a known field selector: only {known}')

    def matches(obj: dict[str, Any]) -> bool:
        return all((fields[term.path](obj) == term.value) != term.negated for term in terms)

    return matches
