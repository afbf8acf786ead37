"""Numbers and names as Go writes them."""

import math
import re
from decimal import Decimal

_ZEROS = re.compile(r"(e-)0(?=\d$)")  # Go's JSON has e-9 for Python's e-09
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def is_label(text: str) -> bool:
    """Whether a text may name a label."""
    return _LABEL.fullmatch(text) is not None


def plain(value: float) -> str:
    """The shortest text that is the same number, without an exponent: `1`, `0.1`, `+Inf`."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value == int(value) and abs(value) < 1e15:
        return str(int(value)) if value or math.copysign(1, value) > 0 else "-0"
    text = repr(value)
    if "e" in text:
        text = format(Decimal(text), "f")
    return text.removesuffix(".0")


def exponential(value: float) -> str:
    """With an exponent always, as alerts have their value (Go's 'e', -1): `1e+00`, `6.5e-02`."""
    if not math.isfinite(value):
        return plain(value)
    digits = "".join(map(str, Decimal(repr(value)).normalize().as_tuple().digits))
    return f"{value:.{max(len(digits) - 1, 0)}e}"


def written(value: float) -> str:
    """As Prometheus's API writes it: like `plain`, but for very large and very small ones with an exponent."""
    size = abs(value)
    if math.isfinite(value) and value and (size < 1e-6 or size >= 1e21):
        return _ZEROS.sub(r"\1", repr(value))
    return plain(value)
