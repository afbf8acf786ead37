"""What time it is, and how it is written. Only shells read the clock; what decides takes `now` as a parameter."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present time, in UTC."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """The moment as Kubernetes writes it: RFC 3339, UTC, whole seconds (`2026-11-22T15:47:03Z`)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
