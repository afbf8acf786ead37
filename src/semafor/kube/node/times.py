"""Kubernetes' times (RFC 3339, whole seconds) to and from seconds since the epoch."""

import math
from datetime import UTC, datetime


def text(seconds: float) -> str:
    """`2026-11-22T15:47:03Z`."""
    return datetime.fromtimestamp(math.floor(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro(seconds_: float) -> str:
    """With microseconds, as leases have it: `2026-11-22T15:47:03.123456Z`."""
    return datetime.fromtimestamp(seconds_, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seconds(stamp: str) -> float:
    """Seconds since the epoch; fractions and offsets are understood."""
    return datetime.fromisoformat(stamp).timestamp()


def go_duration(seconds_: float) -> str:
    """A duration as Go prints it: 10s, 1m20s, 5m0s, 1h0m0s (Kubernetes puts it into its messages)."""
    whole = int(seconds_)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours}h{minutes}m{left}s"
    return f"{minutes}m{left}s" if minutes else f"{left}s"
