"""What is looked at for mistakes, piece by piece, so that to judge one object costs what this object costs."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from semafor.base.problem import ObjectRef, Problem
from semafor.planner.mesh import Mesh


@dataclass(frozen=True)
class Topic:
    """One kind of piece: `pieces` names all of a mesh, `about` those whose problems may be an object's.

    `problems` says what is wrong with one piece; these may be problems of several objects.
    """

    pieces: Callable[[Mesh], Iterable[Any]]
    about: Callable[[Mesh, ObjectRef], Iterable[Any]]
    problems: Callable[[Mesh, Any], Iterable[Problem]]


def each(kind: str, table: Callable[[Mesh], Mapping[Any, Any]], problems: Callable[[Mesh, Any], Any]) -> Topic:
    """Objects of one kind, each by itself, by namespace and name."""

    def about(mesh: Mesh, ref: ObjectRef) -> Iterable[Any]:
        known = table(mesh).get((ref.namespace, ref.name)) if ref.kind == kind else None
        return () if known is None else (known,)

    return Topic(pieces=lambda mesh: table(mesh).values(), about=about, problems=problems)


def whole(kinds: tuple[str, ...], problems: Callable[[Mesh], Iterable[Problem]]) -> Topic:
    """All objects of some kinds at once, where they are few, or can not be told apart."""
    return Topic(
        pieces=lambda _: ((),),
        about=lambda _, ref: ((),) if ref.kind in kinds else (),
        problems=lambda mesh, _: problems(mesh),
    )
