"""What to do when a RUN fails in a way that this builder's images cause."""

import re
from collections.abc import Iterable

# (in the command, in its output, what to do); the first that matches both
_TABLE = (
    (
        r"pip",
        r"Can not perform a '--user' install",
        "Leave --user out: packages go to /opt/venv, which COPY --from=... /opt/venv /opt/venv takes to another stage.",
    ),
    (
        r"pip",
        r"(?:No matching distribution|Requires-Python|requires a different Python)",
        "The image has this machine's Python, not the one that FROM names: choose a version of the package for it.",
    ),
    (
        r"",
        r"(?:Temporary failure in name resolution|Could not resolve host|Network is unreachable)",
        "The build uses this machine's network: check that the machine itself reaches the address.",
    ),
    (
        r"",
        r"Value too large for defined data type",
        "An ordinary user's build cannot change the machine's own files; put new ones into /usr/local or /opt.",
    ),
)


def find(command: str, output: Iterable[str], code: int) -> str:
    """A sentence for the user; empty when nothing is known."""
    text = "\n".join(output)
    for in_command, in_output, hint in _TABLE:
        if re.search(in_command, command) and re.search(in_output, text):
            return hint
    if code == 127:
        return (
            "A program was not found: images here have this machine's own programs, and what earlier lines installed."
        )
    return ""
