"""How much to measure, and for how long at most."""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

_PROGRESS_S = 3.0  # a line not more often than this


@dataclass(frozen=True)
class Effort:
    """`quick` trades samples for time."""

    quick: bool

    def rounds(self, what: str, *, full: int, quick: int, limit_s: float) -> Iterator[int]:
        """The numbers of the rounds: as many as asked for, fewer when they take longer than `limit_s`; at least one."""
        count, began = quick if self.quick else full, time.monotonic()
        said = 0.0
        for number in range(count):
            if number and time.monotonic() - began > limit_s:
                say(f"{what}: stopped after {number} of {count} rounds, {limit_s:.0f} s are over")
                return
            if time.monotonic() - said > _PROGRESS_S:
                said = time.monotonic()
                say(f"{what} {number + 1}/{count}")
            yield number

    def seconds(self, *, full: float, quick: float) -> float:
        return quick if self.quick else full


def say(line: str) -> None:
    """Progress, beside the result."""
    print(f"  {line}", file=sys.stderr, flush=True)
