"""An event loop of forty lines: asyncio would cost every supervisor a megabyte that it shares with nobody."""

import select
from collections.abc import Callable

READ, WRITE, GONE = select.EPOLLIN, select.EPOLLOUT, select.EPOLLHUP | select.EPOLLERR


class Poller:
    """Open files and what to do when one is ready. Errors and hang-ups count as ready, whatever was asked."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._ready: dict[int, Callable[[int], None]] = {}

    def watch(self, fd: int, events: int, then: Callable[[int], None]) -> None:
        """Call `then` with what happened whenever `fd` is ready, until `forget`. `events` 0 waits for its end alone."""
        self._epoll.register(fd, events)
        self._ready[fd] = then

    def change(self, fd: int, events: int) -> None:
        self._epoll.modify(fd, events)

    def forget(self, fd: int) -> None:
        """Stop watching; forgetting twice is allowed. Call it before `fd` is closed."""
        if self._ready.pop(fd, None):
            self._epoll.unregister(fd)

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until something is ready (or for at most `timeout_s`) and act on all that is."""
        for fd, events in self._epoll.poll(timeout_s):
            then = self._ready.get(fd)
            if then:
                then(events)
