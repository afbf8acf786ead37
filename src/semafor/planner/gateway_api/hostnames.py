"""Hostnames of listeners and routes. An empty one stands for all."""

from collections.abc import Iterable, Iterator

from semafor.planner import hosts

ANY = "*"


def overlap(one: str, other: str) -> bool:
    """Whether there is a host that both take."""
    one, other = one or ANY, other or ANY
    return hosts.covers(one, other) or hosts.covers(other, one)


def intersections(listener: str, route: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Where listener and route meet: the hosts that both take, each with what the route has written for it."""
    own = listener or ANY
    for written in tuple(route) or (ANY,):
        if hosts.covers(own, written):
            yield written, written
        elif hosts.covers(written, own):
            yield own, written


def most_specific(patterns: Iterable[str], host: str) -> str | None:
    """The pattern to prefer for the host, which may be a pattern itself; None when none covers it."""
    covering = [pattern for pattern in patterns if hosts.covers(pattern or ANY, host)]
    return max(covering, key=lambda pattern: hosts.specificity(pattern or ANY), default=None)
