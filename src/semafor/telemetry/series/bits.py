"""Two kinds of "not a number" that are no values; their bits tell them apart. Source: Prometheus, model/value."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Times = NDArray[np.int64]  # milliseconds since 1970
Flags = NDArray[np.bool_]
Ids = NDArray[np.int64]

STALE_BITS: Final = 0x7FF0000000000002  # Prometheus's own marker: the series has ended here
ABSENT_BITS: Final = 0x7FF0000000000004  # ours: nothing was read for this series at this time
STALE: Final = np.array([STALE_BITS], dtype=np.uint64).view(np.float64)
ABSENT: Final = np.array([ABSENT_BITS], dtype=np.uint64).view(np.float64)


def is_stale(values: Floats) -> Flags:
    """Where the series ends."""
    found: Flags = np.equal(_bits(values), np.uint64(STALE_BITS))
    return found


def is_absent(values: Floats) -> Flags:
    """Where nothing is known."""
    found: Flags = np.equal(_bits(values), np.uint64(ABSENT_BITS))
    return found


def _bits(values: Floats) -> NDArray[np.uint64]:
    return np.ascontiguousarray(values).view(np.uint64)
