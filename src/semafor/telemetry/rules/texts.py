"""What templates can call, and how values are shown. Sources: Prometheus 2, template/template.go; Go, fmt."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from semafor.telemetry import matching
from semafor.telemetry.promql import lexer

_VERB = re.compile(r"%([-+# 0]*)(\d{0,3})(?:\.(\d{1,3}))?([a-zA-Z%])")


def unquoted(text: str) -> str:
    """What a quoted text means."""
    return lexer.string(text)


def general(value: float) -> str:
    """A number as Go prints it: the shortest text, with an exponent from 1e+06 on, and below 1e-4."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    mantissa, _, exponent = f"{value:e}".partition("e")
    digits = repr(value)
    if value and not -4 <= int(exponent) < 6:
        shortest = format(value, f".{_significant(value) - 1}e")
        return re.sub(r"e([-+])0*(\d{2,})$", r"e\1\2", shortest)
    del mantissa
    if "e" in digits:
        from decimal import Decimal

        digits = format(Decimal(digits), "f")
    return digits.removesuffix(".0")


def _significant(value: float) -> int:
    digits = repr(abs(value)).split("e")[0].replace(".", "").strip("0")
    return max(1, len(digits))


def shown(value: Any) -> str:
    """A value as an action prints it."""
    if value is None:
        return "<no value>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return general(value)
    if isinstance(value, Mapping):
        return "map[" + " ".join(f"{key}:{shown(each)}" for key, each in sorted(value.items())) + "]"
    return str(value)


def true(value: Any) -> bool:
    """What `if` takes for true: what is not empty and not zero."""
    return bool(value)


def items(value: Any) -> Iterable[tuple[Any, Any]]:
    """What `range` goes over. Raises TypeError."""
    if isinstance(value, Mapping):
        return sorted(value.items())
    if isinstance(value, list | tuple):
        return enumerate(value)
    if isinstance(value, int) and 0 <= value <= 10_000:
        return enumerate(range(value))
    raise TypeError(f"range can't iterate over {shown(value)}")


def number(value: Any) -> float:
    """A number, or a text that is one. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"can't convert {shown(value)} to float")
    return float(value)


def humanize(value: Any) -> str:
    return _prefixed(number(value), 1000.0, ("", "k", "M", "G", "T", "P", "E", "Z", "Y"), small=True)


def humanize1024(value: Any) -> str:
    return _prefixed(number(value), 1024.0, ("", "ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"), small=False)


_SMALL: Final = ("m", "u", "n", "p", "f", "a", "z", "y")


def _prefixed(value: float, base: float, prefixes: Sequence[str], *, small: bool) -> str:
    if value == 0 or not math.isfinite(value):
        return _four(value)
    prefix = ""
    if abs(value) >= 1:
        for each in prefixes[1:]:
            if abs(value) < base:
                break
            prefix, value = each, value / base
    elif small:
        for each in _SMALL:
            if abs(value) >= 1:
                break
            prefix, value = each, value * 1000
    return _four(value) + prefix


def _four(value: float) -> str:
    if not math.isfinite(value):
        return general(value)
    return f"{value:.4g}"


def humanize_duration(value: Any) -> str:
    seconds = number(value)
    if not math.isfinite(seconds):
        return _four(seconds)
    if seconds == 0:
        return "0s"
    if abs(seconds) < 1:
        return _prefixed(seconds, 1000.0, ("",), small=True) + "s"
    sign, whole = ("-" if seconds < 0 else ""), int(abs(seconds))
    minutes, hours, days = whole // 60 % 60, whole // 3600 % 24, whole // 86_400
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {whole % 60}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {whole % 60}s"
    if minutes:
        return f"{sign}{minutes}m {whole % 60}s"
    return f"{sign}{_four(abs(seconds))}s"


def humanize_percentage(value: Any) -> str:
    return _four(number(value) * 100) + "%"


def humanize_timestamp(value: Any) -> str:
    seconds = number(value)
    if not math.isfinite(seconds):
        return _four(seconds)
    moment = datetime.fromtimestamp(seconds, UTC)
    fraction = f".{moment.microsecond:06d}".rstrip("0") if moment.microsecond else ""
    return f"{moment:%Y-%m-%d %H:%M:%S}{fraction} +0000 UTC"


def printf(form: Any, *arguments: Any) -> str:
    """Go's Sprintf for the verbs that alerts use."""
    if not isinstance(form, str):
        raise ValueError("printf takes a text first")
    rest = list(arguments)

    def one(found: re.Match[str]) -> str:
        flags, width, precision, verb = found.groups()
        if verb == "%":
            return "%"
        if not rest:
            return f"%!{verb}(MISSING)"
        text = _verb(verb, precision, rest.pop(0))
        if "+" in flags and verb in "dfge" and not text.startswith("-"):
            text = f"+{text}"
        fill = "0" if "0" in flags and "-" not in flags else " "
        return text.ljust(int(width or 0)) if "-" in flags else text.rjust(int(width or 0), fill)

    written = _VERB.sub(one, form)
    return written + (f"%!(EXTRA {', '.join(map(shown, rest))})" if rest else "")


def _verb(verb: str, precision: str | None, value: Any) -> str:
    match verb:
        case "v":
            return shown(value)
        case "s":
            return shown(value)[: int(precision)] if precision else shown(value)
        case "q":
            return '"' + shown(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
        case "d" if isinstance(value, int):
            return str(value)
        case "t" if isinstance(value, bool):
            return shown(value)
        case "x" if isinstance(value, int):
            return f"{value:x}"
        case "f" | "e" | "g" | "F" if isinstance(value, float):
            if not math.isfinite(value) or (verb == "g" and precision is None):
                return general(value)
            return format(value, f".{precision or 6}{verb}")
    return f"%!{verb}({type(value).__name__}={shown(value)})"


def _compare(ordering: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compare(a: Any, b: Any) -> bool:
        if isinstance(a, str) != isinstance(b, str):
            raise ValueError("incompatible types for comparison")
        return ordering(a, b)

    return compare


def _any(first: Any, *others: Any) -> Any:
    for each in (first, *others):
        if true(each):
            return each
    return (first, *others)[-1]


def _all(first: Any, *others: Any) -> Any:
    for each in (first, *others):
        if not true(each):
            return each
    return (first, *others)[-1]


def _index(value: Any, *places: Any) -> Any:
    for place in places:
        value = value.get(place, "") if isinstance(value, Mapping) else value[place]
    return value


def _first(found: Any) -> Any:
    if not found:
        raise ValueError("first() called on vector with no elements")
    return found[0]


def _replaced(pattern: str, replacement: str, text: str) -> str:
    return str(matching.expression(pattern).sub(re.sub(r"\$\{?(\d+)\}?", r"\\\1", replacement), text))


def _matches(pattern: str, text: str) -> bool:
    return matching.expression(pattern).search(text) is not None


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "and": _all,
    "or": _any,
    "not": lambda value: not true(value),
    "eq": lambda first, *others: any(first == each for each in others),
    "ne": lambda a, b: a != b,
    "lt": _compare(lambda a, b: a < b),
    "le": _compare(lambda a, b: a <= b),
    "gt": _compare(lambda a, b: a > b),
    "ge": _compare(lambda a, b: a >= b),
    "index": _index,
    "len": len,
    "print": lambda *values: "".join(map(shown, values)),
    "println": lambda *values: " ".join(map(shown, values)) + "\n",
    "printf": printf,
    "query": lambda text: text,  # the writer asks
    "first": _first,
    "label": lambda name, found: found.labels.get(name, ""),
    "value": lambda found: found.value,
    "strvalue": lambda found: found.labels.get("__value__", ""),
    "sortByLabel": lambda name, found: sorted(found, key=lambda each: each.labels.get(name, "")),
    "humanize": humanize,
    "humanize1024": humanize1024,
    "humanizeDuration": humanize_duration,
    "humanizePercentage": humanize_percentage,
    "humanizeTimestamp": humanize_timestamp,
    "title": lambda text: re.sub(r"(^|\s)(\S)", lambda found: found[1] + found[2].upper(), text),
    "toUpper": lambda text: text.upper(),
    "toLower": lambda text: text.lower(),
    "stripPort": lambda text: text.rpartition(":")[0] if re.search(r":\d+$", text) else text,
    "reReplaceAll": _replaced,
    "match": _matches,
    "parseDuration": lambda text: lexer.duration_ms(text) / 1000,
    "toTime": humanize_timestamp,
    "externalURL": lambda: "",
    "pathPrefix": lambda: "",
}
