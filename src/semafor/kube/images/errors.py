"""What can go wrong with images.

ImageError
├── DockerfileError     the text: what, at which line, what to write instead
├── ContextError        a file of the build's folder: missing, or outside of it
├── RunError            a RUN that failed: its line, exit code and last output
└── StepError           a step that could not be carried out on this machine
"""

from collections.abc import Sequence


class ImageError(Exception):
    """The base of this package's errors; the message is meant for the user."""


class DockerfileError(ImageError):
    """A Dockerfile that is wrong or asks for what is not supported. `line` counts from 1; 0 is the whole file."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"Dockerfile:{line}: {message}" if line else f"Dockerfile: {message}")
        self.line = line
        self.message = message


class ContextError(ImageError):
    """A file that an instruction asks for and that the build's folder does not have, or must not reach."""


class RunError(ImageError):
    """A command of the Dockerfile that ended with another code than 0."""

    def __init__(self, line: int, command: str, code: int, tail: Sequence[str], hint: str = "") -> None:
        output = "".join(f"\n  | {text}" for text in tail)
        end = f"ended with exit code {code}" if code >= 0 else f"was killed by signal {-code}"
        super().__init__(f"Dockerfile:{line}: RUN {command}\n{end}{output}" + (f"\n{hint}" if hint else ""))
        self.line = line
        self.command = command
        self.code = code
        self.tail = tuple(tail)
        self.hint = hint


class StepError(ImageError):
    """A step of a build that this machine refuses: no user namespaces, no overlayfs, a full disk."""
