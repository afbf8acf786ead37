"""Where in the user's files stands what an answer names: `VirtualService demo/model spec.http[0] (split.yaml:14)`."""

import re
from collections.abc import Iterable, Iterator

from semafor.app.analysis import analyzing
from semafor.app.analysis.reading import Doc, Source
from semafor.app.cli import sources
from semafor.app.cli.api import Api
from semafor.resources import registry

_PATH = r"(?: (spec(?:\.[A-Za-z0-9]+|\[[^\]\s]*\])*))?"


class Places:
    """The objects of some files, by the words that answers name them with; `living` reads the one that is applied."""

    def __init__(self, found: Iterable[Source], living: "Living") -> None:
        self._sources = {str(analyzing.ref_of(each.document)): each for each in found}
        names = sorted(map(re.escape, self._sources), key=len, reverse=True)
        self._named = re.compile(rf"(?<![\w/.-])({'|'.join(names)})(?![\w/-]|\.\w){_PATH}") if names else None
        self._living = living
        self._notes: dict[str, str] = {}

    def told(self, line: str) -> str:
        """The line, with the place behind each object that a file has."""
        if self._named is None:
            return line
        return self._named.sub(lambda found: f"{found[0]} ({self._place(found[1], found[2] or '')})", line)

    def named(self, text: str) -> dict[str, str]:
        """The places of everything that the text names."""
        found = self._named.finditer(text) if self._named else ()
        return {each[0]: self._place(each[1], each[2] or "") for each in found}

    def notes(self) -> Iterator[str]:
        """What to say of the files that were named."""
        return (note for note in self._notes.values() if note)

    def _place(self, ref: str, path: str) -> str:
        source = self._sources[ref]
        if ref not in self._notes:
            self._notes[ref] = self._compared(ref, source)
        return source.place(path)

    def _compared(self, ref: str, source: Source) -> str:
        living = self._living.find(source.document)
        if living is not None and living.get("spec") == source.document.get("spec"):
            return ""
        return f"{source.file}: its {ref} is not the one that is applied, so lines may be others (kubectl diff -f ...)"


class Living:
    """The objects that are applied."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def find(self, document: Doc) -> Doc | None:
        """The object of the document's name, or None."""
        group = str(document["apiVersion"]).rpartition("/")[0]
        kind, metadata = registry.by_kind(group, document["kind"]), document["metadata"]
        return self._api.get(kind, metadata["name"], metadata.get("namespace", "")) if kind else None


def of(files: tuple[str, ...], api: Api, namespace: str) -> Places:
    """The places in these files and folders. Raises Failure, OSError."""
    found = (analyzing.placed(each, namespace) for each in sources.read(files, recursive=True))
    return Places(found, Living(api))
