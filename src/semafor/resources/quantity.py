"""Kubernetes' quantities: `100m`, `1.5`, `128Mi`, `1e3`. Source: apimachinery's resource.Quantity."""

import re
from fractions import Fraction

_SUFFIXES = {
    "": Fraction(1),
    **{sign: Fraction(1, 1000**power) for power, sign in enumerate("mun", start=1)},
    **{sign: Fraction(1000**power) for power, sign in enumerate("kMGTPE", start=1)},
    **{f"{sign}i": Fraction(1024**power) for power, sign in enumerate("KMGTPE", start=1)},
}
_FORM = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))(?:[eE]([+-]?\d{1,2})|([numkMGTPE]|[KMGTPE]i)?)")


def parse(value: str | float) -> Fraction:
    """The exact amount. Raises ValueError, naming the value, when it is not a quantity."""
    found = _FORM.fullmatch(str(value))
    if found is None:
        raise ValueError(
            f"invalid quantity {value!r}: write a number with an optional suffix such as m, k, M, Ki or Mi"
        )
    number, exponent, suffix = found.groups()
    return Fraction(number) * (Fraction(10) ** int(exponent) if exponent else _SUFFIXES[suffix or ""])


def text(value: str | float) -> str | float:
    """The quantity as Kubernetes stores it: a number becomes a string, and a fraction is written with `m`.

    What is no quantity is returned as it is, for checks to find.
    """
    if isinstance(value, str):
        return value
    try:
        thousandths = parse(value) * 1000
    except ValueError:
        return value
    if thousandths.denominator != 1:
        return str(value)
    return f"{int(thousandths)}m" if thousandths % 1000 else str(int(thousandths / 1000))
