"""Results of pure functions, kept from one generation of the mesh to the next while they are used."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Memo:
    """A cache by function and arguments. It changes how fast a mesh answers, never what it answers.

    A result that the previous generation had is taken over when it is asked for; what nobody asks for is forgotten
    with the generation before. So the cache is bounded by the size of the mesh.
    """

    def __init__(self, previous: "Memo | None" = None) -> None:
        self.results: dict[Any, Any] = {}
        self._previous = previous.results if previous else {}

    def __call__(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """`function(*args)`, computed at most once; the arguments have to be hashable values."""
        key = (function, *args, *kwargs.items())
        try:
            result: T = self.results[key]
        except KeyError:
            result = self._previous[key] if key in self._previous else function(*args, **kwargs)
            self.results[key] = result
        return result
