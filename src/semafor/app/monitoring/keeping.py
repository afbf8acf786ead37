"""Keeps the store within its bounds and on disk. Lives in the store's thread."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from semafor.telemetry.series import Store
    from semafor.telemetry.series.disk import Disk

log = logging.getLogger(__name__)

SAVE_INTERVAL_S: Final = 10.0  # what a `kill -9` may cost: two scrapes
_JUMP_MS: Final = 2000  # a clock that was set back by less is not set back


class Kept:
    """The store, its file at `path`, and what was said of them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._disk: Disk | None = None
        self._failed = ""
        self._now_ms = 0
        self._refused = 0

    def open(self) -> "Store":
        """The store as it was when it was saved last."""
        from semafor.telemetry.series import Store
        from semafor.telemetry.series.disk import Disk

        store, self._disk = Store(), Disk(self._path)
        if error := self._disk.load(store):
            log.warning("%s; metrics begin anew", error)
        return store

    def look_after(self, store: "Store", now_s: float) -> None:
        """Forget what is too old, notice when the clock was set back, save."""
        now_ms = round(now_s * 1000)
        newest = store.span[1] if store.span else now_ms
        if now_ms < max(self._now_ms, newest) - _JUMP_MS and (met := store.forget_after(now_ms)):
            log.warning("the clock was set back: metrics of %d targets that are later than now are dropped", met)
        self._now_ms = now_ms
        store.forget(now_ms)
        self._save(store)

    def close(self, store: "Store") -> None:
        """Save once more."""
        self._save(store)
        if self._disk is not None:
            self._disk.close()

    def _save(self, store: "Store") -> None:
        assert self._disk is not None
        error = self._disk.save(store)
        if error and error != self._failed:
            log.error("%s; metrics are kept in memory meanwhile", error)
        elif self._failed and not error:
            log.warning("%s is written again", self._path)
        self._failed = error
