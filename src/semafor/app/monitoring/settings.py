"""How often metrics are read and how long they are kept: the ConfigMap `semafor-metrics` in istio-system. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from semafor.base import duration
from semafor.base.struct import Value

NAMESPACE: Final = "istio-system"
NAME: Final = "semafor-metrics"
INTERVAL_S: Final = 5.0  # a laptop's mesh should feel alive; Prometheus's own default is 15 to 60
WINDOW_S: Final = 6 * 3600.0
_DAY_S: Final = 86_400.0
# Field, the least and the most that it may be. An answer has to fit into the interval; the store's memory is bounded
# besides, so a long window costs no more than that.
_LIMITS: Final = {"scrapeInterval": (1.0, 3600.0), "window": (300.0, 30 * _DAY_S)}
_DAYS: Final = re.compile(r"(\d+)d")


class Settings(Value):
    """Both in seconds."""

    interval_s: float = INTERVAL_S
    window_s: float = WINDOW_S

    @property
    def timeout_s(self) -> float:
        """Less than the interval, so that no target is read twice at a time."""
        return min(0.8 * self.interval_s, 10.0)


def read(data: Mapping[str, str]) -> tuple[Settings, tuple[str, ...]]:
    """The settings, and what of them is not understood, which counts as not said."""
    found, wrong = dict(_understood(data)), []
    for name in sorted(data.keys() - found.keys()):
        limits = _LIMITS.get(name)
        why = (
            f"it must be a duration from {limits[0]:g} to {limits[1]:g} seconds" if limits else "there is no such field"
        )
        wrong.append(f"ConfigMap {NAMESPACE}/{NAME} data.{name}: {why}; {data[name]!r} is passed over")
    settings = Settings(found.get("scrapeInterval", INTERVAL_S), found.get("window", WINDOW_S))
    return settings, tuple(wrong)


def _understood(data: Mapping[str, str]) -> Iterator[tuple[str, float]]:
    for name, (least, most) in _LIMITS.items():
        try:
            seconds = _seconds(str(data.get(name, "")))
        except ValueError:
            continue
        if least <= seconds <= most:
            yield name, seconds


def _seconds(text: str) -> float:
    """A duration as Go writes it, or in days, as Prometheus does."""
    days = _DAYS.fullmatch(text)
    return int(days[1]) * _DAY_S if days else duration.parse(text)
