"""Rules that ConfigMap and Secret share: keys are file names, bytes are base64, everything fits into 1 MiB."""

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping

from semafor.resources import errors, marks
from semafor.resources.errors import FieldError

MAX_BYTES = 1024 * 1024


def keys(names: Iterable[str], path: str) -> Iterator[FieldError]:
    """Keys must be usable as file names."""
    for key in names:
        why = marks.CONFIG_KEY.test(key) or ("must not be '.' or '..'" if key in {"", ".", ".."} else "")
        if why:
            yield errors.invalid(f"{path}[{key}]", key, why)


def base64_values(values: Mapping[str, str], path: str) -> Iterator[FieldError]:
    """Values must be base64; they are not repeated in the error, for they may be secret."""
    for key, value in values.items():
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            yield errors.invalid(f"{path}[{key}]", "<not shown>", "must be encoded in base64")


def size(values: Mapping[str, str], path: str) -> Iterator[FieldError]:
    """All values together must fit into 1 MiB."""
    if sum(len(value.encode(errors="replace")) for value in values.values()) > MAX_BYTES:
        yield FieldError(
            path=path, reason="FieldValueTooLong", message=f"Too long: may not be more than {MAX_BYTES} bytes"
        )
