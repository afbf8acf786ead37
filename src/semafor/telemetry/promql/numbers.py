"""Numbers and names as Go writes them."""

import math
import re
from decimal import Decimal

_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def is_label(text: str) -> bool:
    """Whether a text may name a label."""
    return _LABEL.fullmatch(text) is not None


def written(value: float) -> str:
    """The shortest text that is the same number, as Prometheus's API writes it (Go's 'f', -1): `1`, `0.1`, `+Inf`."""
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


plain = written
