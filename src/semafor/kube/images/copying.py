"""What COPY and ADD of one line ask for: the worker's job, and what the files are, for the cache."""

import hashlib
import posixpath
from pathlib import Path
from typing import Any

from semafor.kube.images import environment, files, ignore, substitution
from semafor.kube.images.dockerfile import Heredoc, Instruction
from semafor.kube.images.errors import DockerfileError
from semafor.kube.images.stage import Stage

_URL = ("http://", "https://", "git@", "git://", "ssh://")
_CHUNK_BYTES = 1 << 16

Job = dict[str, Any]


def common(instruction: Instruction, patterns: tuple[str, ...], destination: str) -> Job:
    """The part of the job that does not depend on where the files come from. Raises DockerfileError."""
    if instruction.keyword == "ADD" and any(pattern.startswith(_URL) for pattern in patterns):
        raise DockerfileError(
            instruction.line, "ADD of an address is not supported: use RUN curl -fsSL -o FILE ADDRESS"
        )
    single = len(patterns) == 1 and not destination.endswith("/")
    return {
        "destination": destination,
        "single": single,
        "single_name": posixpath.basename(patterns[0].rstrip("/")) if single else "",
        "mode": mode(instruction),
        "extract": instruction.keyword == "ADD",
    }


def from_stage(job: Job, other: Stage, patterns: tuple[str, ...]) -> tuple[Job, object]:
    """The job that copies from another stage or image, and its content: the worker chooses the files in its root."""
    if other.variables.get("VIRTUAL_ENV") == environment.PREFIX:
        found = (environment.where_installed(pattern, other.layers) for pattern in patterns)
        patterns = tuple(pattern for several in found for pattern in several)
    source = {"layers": other.layers, "binds": other.binds, "patterns": patterns}
    return {**job, **source}, (other.key, patterns, job["mode"])


def from_folder(job: Job, folder: files.Folder, patterns: tuple[str, ...]) -> tuple[Job, object]:
    """The job that copies from the build's folder, and its content: every file is read once. Raises RefusedError."""
    items = [item for pattern in patterns for item in files.select(folder, pattern)]
    digests = [(item.target, item.mode, _digest(folder.path, item)) for item in items]
    return {**job, "folder": folder.path, "items": items}, (digests, job["mode"])


def destination(built: Stage, word: str) -> str:
    """The absolute destination; a slash at its end is kept, because it means a folder."""
    folder = "/" if word.endswith(("/", "/.")) or word in (".", "..") else ""
    return posixpath.normpath(posixpath.join(built.config.workdir, word)).rstrip("/") + folder


def document(built: Stage, heredoc: Heredoc, destination: str, words: tuple[str, ...]) -> dict[str, Any]:
    """A file written in the Dockerfile itself."""
    single = len(words) == 2 and not destination.endswith("/")
    body = substitution.variables_only(heredoc.body, built.variables) if heredoc.expand else heredoc.body
    return {"path": destination if single else f"{destination}/{heredoc.name}", "body": body, "mode": 0o644}


def mode(instruction: Instruction) -> int | None:
    """The permissions of --chmod; None without it."""
    value = instruction.flag("chmod")
    if value is None:
        return None
    try:
        return int(value, 8)
    except ValueError:
        raise DockerfileError(
            instruction.line, f"--chmod={value}: write the permissions in octal, such as 755"
        ) from None


def _digest(folder: str, item: files.Item) -> str:
    """What the cache knows a file, a link or a folder by."""
    path = f"{folder}/{item.source}"
    if item.kind != "file":
        return str(Path(path).readlink()) if item.kind == "link" else ""
    digest = hashlib.sha256()
    try:
        # Unbuffered, and without hashlib.file_digest: its buffer costs more than reading a small file does.
        with open(path, "rb", buffering=0) as stream:  # noqa: PTH123
            while chunk := stream.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        raise files.RefusedError(f"{item.source} cannot be read: {error.strerror}") from None
    return digest.hexdigest()


def rules(dockerfile: Path, context: Path) -> tuple[ignore.Rule, ...]:
    """The Dockerfile's own ignore file goes before the folder's."""
    own = dockerfile.with_name(f"{dockerfile.name}.dockerignore")
    for path in (own, context / ".dockerignore"):
        if path.is_file():
            return ignore.rules(path.read_text("utf-8"))
    return ()
