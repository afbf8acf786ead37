"""What a target answers when it is asked for its metrics: Prometheus's text format 0.0.4, and OpenMetrics.

    lines(text)     -> what names a series, and its value, line by line
    labels(head)    -> the labels in what names a series

They are apart so that a reader can remember what a line's beginning means: it is the same at every scrape. Timestamps
and exemplars are passed over: a sample is of the time when it was read. Everything is bounded; the first bad line is an
error.
"""

from semafor.telemetry.exposition.text import BadExposition, Metadata, labels, lines

__all__ = ["BadExposition", "Metadata", "labels", "lines"]
