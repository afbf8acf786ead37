"""Kubernetes' quantities: 500m, 1Gi, 2e3, 0.5. Source: k8s.io/apimachinery/pkg/api/resource."""

import math
from decimal import Decimal, InvalidOperation

_SCALES = {
    **{suffix: Decimal(1024) ** power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), start=1)},
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate(("k", "M", "G", "T", "P", "E"), start=1)},
    "m": Decimal("1e-3"),
    "u": Decimal("1e-6"),
    "n": Decimal("1e-9"),
}


def parse(text: str | float) -> Decimal:
    """The number a quantity stands for. Raises ValueError."""
    words = str(text).strip()
    number, scale = words, Decimal(1)
    for suffix, factor in _SCALES.items():
        if words.endswith(suffix):
            number, scale = words[: -len(suffix)], factor
            break
    try:
        return Decimal(number) * scale
    except InvalidOperation as error:
        raise ValueError(f"invalid quantity {text!r}: write a number such as 500m, 1.5, 128Mi or 2Gi") from error


def divided(text: str | float, divisor: str | float) -> int:
    """The quantity in units of `divisor`, rounded up, as the downward API shows it; a divisor of 0 means 1."""
    unit = parse(divisor) or Decimal(1)
    return math.ceil(parse(text) / unit)
