"""How long ago, as kubectl writes it. Source: k8s.io/apimachinery/pkg/util/duration.HumanDuration."""

from datetime import datetime

from semafor.kube.api.tables.printer import UNKNOWN


def since(time: str | None, now: datetime) -> str:
    """The time from an RFC 3339 timestamp until now: `5m3s`, `<unknown>` when there is none."""
    moment = parse(time)
    return human((now - moment).total_seconds()) if moment else UNKNOWN


def parse(time: str | None) -> datetime | None:
    """A timestamp, None when it is missing or not one."""
    try:
        moment = datetime.fromisoformat(time) if time else None
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None


def human(seconds: float) -> str:
    """A duration with the precision that matters at its size."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    minutes, hours = whole // 60, whole // 3600
    days = hours // 24
    if whole < 120:
        return f"{max(whole, 0)}s"
    if minutes < 10:
        return _two(minutes, "m", whole % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    return _days(days, hours)


def _days(days: int, hours: int) -> str:
    if hours < 24 * 8:
        return _two(days, "d", hours % 24, "h")
    if days < 365 * 2:
        return f"{days}d"
    if days < 365 * 8:
        return _two(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def _two(large: int, unit: str, small: int, small_unit: str) -> str:
    return f"{large}{unit}{small}{small_unit}" if small else f"{large}{unit}"
