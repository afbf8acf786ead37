"""Documents out of the files that a command is given."""

import sys
from collections.abc import Iterable, Iterator

from semafor.app.analysis import reading
from semafor.app.analysis.reading import Source
from semafor.app.cli.output import Failure


def read(paths: Iterable[str], *, recursive: bool = False) -> Iterator[Source]:
    """The objects of all files, folders and standard input (`-`). Raises Failure, and OSError for missing files."""
    try:
        for path in paths:
            if path == reading.STDIN:
                yield from reading.documents(sys.stdin.read(), "stdin")
                continue
            for file in reading.files((path,), recursive=recursive):
                yield from reading.documents(file.read_text(), str(file))
    except reading.Unreadable as error:
        raise Failure(f"this is no YAML: {error}") from error
    except UnicodeDecodeError as error:
        raise Failure(f"this is no text: {error}") from error
