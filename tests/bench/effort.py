"""How much to measure, and for how long at most."""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

_RESERVE_S = 15.0  # to finish a part and stop its mesh
_PROGRESS_S = 3.0  # a line not more often than this


@dataclass(frozen=True)
class Effort:
    """`quick` trades samples for time. `ends_at` is when the whole run has to be over, by time.monotonic."""

    quick: bool
    ends_at: float

    def rounds(self, what: str, *, full: tuple[int, float], quick: tuple[int, float]) -> Iterator[int]:
        """The numbers of the rounds. `full`, `quick`: how many, and how many seconds no further one begins after."""
        count, limit_s = quick if self.quick else full
        began = time.monotonic()
        said = 0.0
        for number in range(count):
            if number and time.monotonic() > min(began + limit_s, self.ends_at - _RESERVE_S):
                say(f"{what}: stopped after {number} of {count} rounds, the time for it is over")
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
