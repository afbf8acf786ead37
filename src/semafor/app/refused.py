"""Why a mesh cannot start, or go on, on this machine."""


class Refused(Exception):  # noqa: N818 - named for what the machine did
    """What is missing, and how to get it."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.fix = fix
