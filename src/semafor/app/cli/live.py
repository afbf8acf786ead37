"""The live view of a split: bars on a terminal, a few plain lines elsewhere."""

import sys
from collections.abc import Mapping
from types import TracebackType

from rich.console import Group
from rich.live import Live
from rich.text import Text

_WIDTH = 40
_COLOURS = ("green", "cyan", "magenta", "yellow")


class Split:
    """Shows how `total` requests are divided. A context manager; `update` takes the counts so far."""

    def __init__(self, total: int, *, quiet: bool = False) -> None:
        self._total = total
        self._quiet = quiet
        self._live = Live(refresh_per_second=10) if sys.stdout.isatty() and not quiet else None
        self._counts: Mapping[str, int] = {}

    def __enter__(self) -> "Split":
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()
        elif not self._quiet and self._counts:
            print(f"split     {self._line()}", flush=True)

    def update(self, counts: Mapping[str, int]) -> None:
        """Show these counts, version -> answers."""
        self._counts = counts
        if self._live:
            self._live.update(Group(*(self._bar(index, name) for index, name in enumerate(sorted(counts)))))

    def _bar(self, index: int, name: str) -> Text:
        count, done = self._counts[name], sum(self._counts.values()) or 1
        colour = "red" if name == "errors" else _COLOURS[index % len(_COLOURS)]
        filled = round(_WIDTH * count / self._total)
        text = Text(f"{name:>8}  ")
        text.append("━" * filled, style=colour)
        text.append("━" * (_WIDTH - filled), style="dim")
        text.append(f"  {count:>6}  {count / done:6.1%}")
        return text

    def _line(self) -> str:
        done = sum(self._counts.values()) or 1
        parts = (f"{name} {count} ({count / done:.1%})" for name, count in sorted(self._counts.items()))
        return ", ".join(parts) + f" of {self._total} requests"
