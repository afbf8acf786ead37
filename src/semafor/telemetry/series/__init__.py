"""The time series of one machine: what was read of each target, for some hours, in bounded memory.

    Store ── Group (one target, or one group of rules: what shares its times)
               ├── Head    the newest samples, as a matrix: a row for each series, a column for each time
               └── Block*  older columns, packed: 1 to 2 bytes a sample
    Index ── names and values of labels -> series

What comes in is `append(group, time, samples)`; what comes out is `select(matchers, start, end)`. It reads no clock and
starts no thread: whoever calls keeps to one thread. `disk` writes it down and reads it back.
"""

from semafor.telemetry.series.store import Limits, Samples, Store

__all__ = ["Limits", "Samples", "Store"]
