"""A message about an object, in the form of istioctl's."""

from typing import Any, Literal

from semafor.base.problem import ObjectRef, Problem
from semafor.base.struct import Value

Level = Literal["Info", "Warning", "Error"]
LEVELS: tuple[Level, ...] = ("Info", "Warning", "Error")  # from the least to the most grave

_ISTIO = "https://istio.io/latest/docs/reference/config/analysis/"


class Message(Value):
    """`code` is Istio's (`IST0101`) where it has one for such a mistake, else the reason as our own word.

    `place` is file and line, empty for what lives in the mesh.
    """

    code: str
    level: Level
    ref: ObjectRef
    text: str
    place: str = ""

    def __str__(self) -> str:
        where = f"{self.ref} {self.place}".rstrip()
        return f"{self.level} [{self.code}] ({where}) {self.text}"

    @property
    def document(self) -> dict[str, Any]:
        """As `istioctl analyze -o json` has it."""
        url = f"{_ISTIO}{self.code.lower()}/" if self.code.startswith("IST") else ""
        found = {"code": self.code, "documentationUrl": url, "level": self.level, "message": self.text}
        return {**found, "origin": str(self.ref), "reference": self.place}


def of(problem: Problem, code: str, level: Level, place: str = "") -> Message:
    """The message for a problem that the checker found."""
    text = f"{problem.path}: {problem.message}" if problem.path else problem.message
    text = f"{text} ({problem.fix})" if problem.fix else text
    return Message(code=code, level=level, ref=problem.ref, text=text, place=place)


def is_at_least(level: Level, threshold: Level) -> bool:
    return LEVELS.index(level) >= LEVELS.index(threshold)
