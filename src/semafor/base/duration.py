"""Durations as Go and Istio write them: `1h30m`, `250ms`, `5s`, `1.5s`."""

import re

_UNITS_S = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(h|ms|us|µs|ns|m|s)")
_LONGEST_S = 9_223_372_036  # 292 years: Go counts nanoseconds in 64 bits
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")


def parse(text: str) -> float:
    """Seconds in a duration such as "1h30m" or "250ms"; "0" is allowed without a unit.

    Raises ValueError, naming the text, when it is empty, negative, longer than 292 years or has no unit.
    Source: Go's time.ParseDuration, which Istio's API uses.
    """
    if text == "0":
        return 0.0
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"invalid duration {text!r}: write a number and a unit, such as 250ms, 5s or 1h30m")
    seconds = sum(float(number) * _UNITS_S[unit] for number, unit in _PART.findall(text))
    if seconds > _LONGEST_S:
        raise ValueError(f"invalid duration {text[:40]!r}: longer than 292 years")
    return seconds
