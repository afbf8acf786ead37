"""What is asked: parameters of GET and POST, and what is wrong with them in Prometheus's words."""

import math
import re
from datetime import datetime
from typing import Final

from starlette.datastructures import FormData, QueryParams

from semafor.telemetry.matching import Matcher
from semafor.telemetry.promql import ParseError, lexer, parser

Parameters = QueryParams | FormData

# The earliest and latest times of Go, which clients send to mean "all".
_EXTREMES: Final = {"-292273086-05-16T16:47:06Z": -9.2e15, "292277025-08-18T07:12:54.999999999Z": 9.2e15}
_FRACTION = re.compile(r"(\.\d{6})\d+")


class BadParameter(Exception):  # noqa: N818 - named for what it is
    """A parameter that cannot be used: its message says which, and why."""


def text(parameters: Parameters, name: str) -> str:
    value = parameters.get(name, "")
    return value if isinstance(value, str) else ""


def texts(parameters: Parameters, name: str) -> list[str]:
    return [value for value in parameters.getlist(name) if isinstance(value, str)]


def moment(parameters: Parameters, name: str, default: float | None = None) -> int:
    """A time in milliseconds; `default` is in seconds. Raises BadParameter."""
    given = text(parameters, name)
    if not given and default is not None:
        return round(default * 1000)
    try:
        return round(_seconds(given) * 1000)
    except (ValueError, OverflowError):
        raise BadParameter(f'invalid parameter "{name}": cannot parse "{given}" to a valid timestamp') from None


def _seconds(given: str) -> float:
    if given in _EXTREMES:
        return _EXTREMES[given]
    try:
        value = float(given)
    except ValueError:
        found = datetime.fromisoformat(_FRACTION.sub(r"\1", given))
        if found.tzinfo is None:
            raise
        return found.timestamp()
    if not math.isfinite(value) or abs(value) > 9.3e15:
        raise ValueError(given)
    return value


def length(parameters: Parameters, name: str) -> int:
    """A duration in milliseconds: seconds, or as 1h30m. Raises BadParameter."""
    given = text(parameters, name)
    try:
        try:
            value = float(given)
            if not abs(value) < 9.2e15:
                raise OverflowError
            return int(value * 1000)
        except ValueError:
            return lexer.duration_ms(given)
    except (ValueError, OverflowError):
        raise BadParameter(f'invalid parameter "{name}": cannot parse "{given}" to a valid duration') from None


def step(parameters: Parameters) -> int:
    """The step of a range query. Raises BadParameter."""
    found = length(parameters, "step")
    if found <= 0:
        words = "zero or negative query resolution step widths are not accepted. Try a positive integer"
        raise BadParameter(f'invalid parameter "step": {words}')
    return found


def count(parameters: Parameters, name: str, default: int) -> int:
    """A whole number. Raises BadParameter."""
    given = text(parameters, name)
    if not given:
        return default
    if not re.fullmatch(r"-?\d{1,9}", given, re.ASCII):
        raise BadParameter(f"{name} must be a number" if name == "limit" else f'invalid parameter "{name}"')
    return int(given)


def selectors(parameters: Parameters, *, needed: bool = False) -> list[tuple[Matcher, ...]]:
    """What `match[]` asks for: each of them alone is enough. Raises BadParameter."""
    given = texts(parameters, "match[]")
    if needed and not given:
        raise BadParameter("no match[] parameter provided")
    try:
        return [parser.selectors(each) for each in given]
    except ParseError as error:
        raise BadParameter(f'invalid parameter "match[]": {error}') from None
