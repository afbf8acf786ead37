"""A folder of texts as one compressed archive that its owner alone can read."""

import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

from semafor.app.report.redaction import Redaction


class Archive:
    """Writes `*.tar.gz`. Everything that goes in passes the redaction. Raises OSError; an existing file stays."""

    def __init__(self, path: Path, redaction: Redaction, *, at: float) -> None:
        self._redaction = redaction
        self._at = at
        self._folder = path.name.removesuffix(".tar.gz")
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(handle, "wb")
        self._tar = tarfile.open(fileobj=self._file, mode="w:gz")  # noqa: SIM115 - closed by `close`
        self.names: list[str] = []

    def close(self) -> None:
        self._tar.close()
        self._file.close()

    def text(self, name: str, text: str) -> None:
        self._add(name, self._redaction.text(text))

    def document(self, name: str, document: Any) -> None:
        cleaned = self._redaction.document(document)
        self._add(name, self._redaction.text(json.dumps(cleaned, indent=1, ensure_ascii=False)))

    def objects(self, name: str, found: list[dict[str, Any]]) -> None:
        """Kubernetes objects, one JSON document."""
        cleaned = [self._redaction.object(each) for each in found]
        self._add(name, json.dumps({"items": cleaned}, indent=1, ensure_ascii=False))

    def _add(self, name: str, text: str) -> None:
        content = text.encode(errors="replace")
        info = tarfile.TarInfo(f"{self._folder}/{name}")
        info.size, info.mode, info.mtime = len(content), 0o600, int(self._at)
        self._tar.addfile(info, io.BytesIO(content))
        self.names.append(name)
