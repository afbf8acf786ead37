"""Columns of samples, packed.

Each value is XORed with the one before it, so that what does not change is zeros, and what changes little is mostly
zeros; bytes of the same weight are put side by side; zlib does the rest. Rows are packed in pieces of 64, so that a
query for one series of a target with thousands unpacks few.
"""

import zlib
from typing import Any, Final

import numpy as np

from semafor.telemetry.series.bits import Floats

PIECE_ROWS: Final = 64
_LEVEL: Final = 1  # higher levels cost five times the work and save a tenth of the space


def pack(values: Floats) -> bytes:
    """A matrix of samples (rows of series, columns of times)."""
    bits = np.ascontiguousarray(values).view(np.uint64).copy()
    bits[:, 1:] ^= bits[:, :-1].copy()
    planes = bits.reshape(-1, 1).view(np.uint8).T
    return zlib.compress(planes.tobytes(), _LEVEL)


def unpack(packed: bytes, rows: int, columns: int) -> Floats:
    """The matrix again. Raises ValueError when the bytes are not of that shape."""
    try:
        raw = zlib.decompress(packed, bufsize=rows * columns * 8 or 1)
    except zlib.error as error:
        raise ValueError(f"a packed piece is damaged: {error}") from error
    planes: Any = np.frombuffer(raw, dtype=np.uint8).reshape(8, rows * columns)
    bits: Any = np.ascontiguousarray(planes.T).view(np.uint64).reshape(rows, columns)
    return np.bitwise_xor.accumulate(bits, axis=1).view(np.float64)


def pieces(values: Floats) -> tuple[bytes, ...]:
    """The matrix in pieces of PIECE_ROWS rows."""
    return tuple(pack(values[start : start + PIECE_ROWS]) for start in range(0, len(values), PIECE_ROWS))
