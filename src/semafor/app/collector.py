"""The garbage collector, in a process that keeps millions of objects and makes next to no cycles."""

import gc

# How many objects more than at the last look start the next one, and every how many looks older ones are looked
# through too. By Python's own measure a look through all, half a second at 5,000 services, came with every few changes.
_THRESHOLDS = (5_000, 20, 100)


def settle() -> None:
    """What has been loaded stays: the collector need not look at it again. From now on it is at work."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    gc.enable()
