"""Times as Go's JSON has them."""

from datetime import UTC, datetime
from typing import Final

NEVER: Final = "0001-01-01T00:00:00Z"  # Go's zero time


def stamp(seconds: float | None) -> str:
    """RFC 3339 with milliseconds; None is never."""
    if seconds is None:
        return NEVER
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
