"""Several VirtualServices for one host: which step comes before which.

Differs from Istio: its sidecars use the oldest object alone. Here all of them count: the conditional steps of the
newest object first, then those of the next, at last the newest step without conditions. So a rule for a few requests
can be added, and taken away, without a change of the rule for all.
"""

from collections.abc import Callable, Iterable
from itertools import chain
from typing import Literal, TypeVar

from semafor.planner.routes.step import L4Step, Step
from semafor.planner.routes.virtual_service import VirtualService

Mode = Literal["layered", "oldest"]
S = TypeVar("S", Step, L4Step)


def chosen(services: tuple[VirtualService, ...], mode: Mode) -> tuple[VirtualService, ...]:
    """The objects that count, of those for one host, newest first."""
    return services if mode == "layered" else services[-1:]


def layer(services: tuple[VirtualService, ...], takes: Callable[[Step], bool]) -> tuple[Step, ...]:
    """The steps in the order in which requests try them, the one without conditions last.

    `takes` says whether a step is in effect (for these callers, with a live destination); one that is not is as absent.
    """
    return stacked((vs.steps for vs in services), takes)


def stacked(stacks: Iterable[tuple[S, ...]], takes: Callable[[S], bool]) -> tuple[S, ...]:
    """The same of steps of any kind, those of the newest object first."""
    reachable = tuple(chain.from_iterable(_until_catch_all(tuple(filter(takes, steps))) for steps in stacks))
    conditional = tuple(step for step in reachable if not step.is_catch_all)
    rest = tuple(step for step in reachable if step.is_catch_all)
    return conditional + rest[:1]


def _until_catch_all(steps: tuple[S, ...]) -> tuple[S, ...]:
    """The steps that a request of some kind can reach."""
    for index, step in enumerate(steps):
        if step.is_catch_all:
            return steps[: index + 1]
    return steps
