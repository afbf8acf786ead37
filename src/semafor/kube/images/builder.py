"""A Dockerfile's instructions, one after the other, each a layer found in the cache or made by a step.

The cache is the chain: a layer's key is made of the key before it, the instruction, and the contents of the files that
it copies. So an unchanged folder costs a look at its files, and a change costs the steps from there on.
"""

import asyncio
import hashlib
import posixpath
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from semafor.base.struct import Value
from semafor.kube.images import environment, files, hints, ignore, reference, shelf, stage, substitution
from semafor.kube.images.dockerfile import Heredoc, Instruction, parse
from semafor.kube.images.errors import ContextError, DockerfileError, ImageError, RunError
from semafor.kube.images.image import Image
from semafor.kube.images.stage import Given, Stage
from semafor.kube.images.steps import Step, Steps

# overlayfs takes one page of options, which this many layers fill.
_MAX_LAYERS = 100
_TAIL_LINES = 20
_SCRATCH = "scratch"
_URL = ("http://", "https://", "git@", "git://", "ssh://")
# ARGs that Docker knows without a value from outside.
_PLATFORM = {"x86_64": "amd64", "aarch64": "arm64"}


class Event(Value, frozen=True):
    """Progress: a `step` begins, was `cached`, ended (`done`); a line of `output`; a `note` for the user."""

    kind: Literal["step", "cached", "done", "output", "note"]
    text: str
    line: int = 0
    seconds: float = 0


class Request(Value, frozen=True):
    """What to build. `args` are those of --build-arg."""

    context: Path
    dockerfile: Path
    tag: str
    args: tuple[tuple[str, str], ...] = ()


class Build:
    """One build, from reading the Dockerfile to the image's name."""

    def __init__(
        self,
        shelf: shelf.Shelf,
        steps: Steps,
        *,
        find: Callable[[str], Image],
        progress: Callable[[Event], None],
        request: Request,
    ) -> None:
        self._shelf = shelf
        self._steps = steps
        self._find = find
        self._tell = progress
        self._request = request
        self._folder = files.Folder(str(request.context), strict=True, rules=_rules(request))
        self._stages: dict[str, Stage] = {}
        self._notes: list[str] = []
        self._given = Given(args=request.args)

    async def run(self) -> Image:
        """Build the last stage and those that it needs. Raises ImageError."""
        tag = str(reference.parse(self._request.tag))
        header, blocks = _split(parse(_read(self._request.dockerfile)))
        self._given = _globals(header, self._given)
        built = Stage(key="")
        for number, block in enumerate(blocks):
            if number in _needed(blocks):
                built = await self._block(block)
                self._stages[str(number)] = built
                self._stages[_alias(block[0]) or str(number)] = built
        self._warn_unused(header, blocks)
        image = self._image(tag, built)
        self._shelf.write(image)
        return image

    async def _block(self, block: tuple[Instruction, ...]) -> Stage:
        built = self._from(block[0])
        for instruction in block[1:]:
            if instruction.keyword in stage.CONFIGURING:
                built = stage.configure(built, instruction, self._given)
            else:
                built = await _MAKING[instruction.keyword](self, built, instruction)
            if len(built.layers) > _MAX_LAYERS:
                raise DockerfileError(instruction.line, f"more than {_MAX_LAYERS} layers: join some RUN lines with &&")
        return built

    def _from(self, instruction: Instruction) -> Stage:
        name = _source_of(instruction, self._given)
        self._tell(Event(kind="step", text=str(instruction), line=instruction.line))
        earlier = self._stages.get(name.lower())
        if earlier:
            return msgspec.structs.replace(earlier, args=(), own_cmd=False)
        try:
            image = self._find(name)
        except DockerfileError:
            raise
        except ImageError as error:
            raise DockerfileError(instruction.line, str(error)) from None
        for note in image.notes:
            self._note(note, instruction.line)
        return Stage.of(image)

    async def workdir(self, built: Stage, instruction: Instruction) -> Stage:
        folder = stage.workdir(built, instruction)
        made = await self._layer(built, instruction, Step(layers=built.layers, folder=folder), folder)
        return msgspec.structs.replace(made, config=msgspec.structs.replace(made.config, workdir=folder))

    async def copy(self, built: Stage, instruction: Instruction) -> Stage:
        words = stage.words(instruction, built.variables)
        if len(words) < 2:
            raise DockerfileError(instruction.line, f"{instruction.keyword} needs a source and a destination")
        destination = _destination(built, words[-1])
        documents = tuple(_document(built, doc, destination, words) for doc in instruction.heredocs)
        patterns = tuple(word for word in words[:-1] if not word.startswith("<<"))
        job = await self._copy_job(built, instruction, patterns, destination) if patterns else None
        content = (job and job.pop("content"), documents, destination)
        return await self._layer(built, instruction, Step(layers=built.layers, copy=job, documents=documents), content)

    async def _copy_job(
        self, built: Stage, instruction: Instruction, patterns: tuple[str, ...], destination: str
    ) -> dict[str, Any]:
        """The worker's job, with what the files are (`content`) for the cache."""
        if instruction.keyword == "ADD" and any(pattern.startswith(_URL) for pattern in patterns):
            raise DockerfileError(
                instruction.line, "ADD of an address is not supported: use RUN curl -fsSL -o FILE ADDRESS"
            )
        single = len(patterns) == 1 and not destination.endswith("/")
        job: dict[str, Any] = {
            "destination": destination,
            "single": single,
            "single_name": posixpath.basename(patterns[0].rstrip("/")) if single else "",
            "mode": _mode(instruction),
            "extract": instruction.keyword == "ADD",
        }
        source = instruction.flag("from")
        if source is not None:
            other = self._other(instruction, substitution.expand(source, built.variables))
            if other.variables.get("VIRTUAL_ENV") == environment.PREFIX:
                found = (environment.where_installed(pattern, other.layers) for pattern in patterns)
                patterns = tuple(pattern for several in found for pattern in several)
            job |= {"layers": other.layers, "binds": other.binds, "patterns": patterns}
            return {**job, "content": (other.key, patterns, job["mode"])}
        try:
            items, digests = await asyncio.to_thread(self._choose, patterns)
        except files.RefusedError as error:
            raise DockerfileError(instruction.line, f"{instruction.keyword} {error}") from None
        job |= {"folder": self._folder.path, "items": items}
        return {**job, "content": (digests, job["mode"])}

    def _other(self, instruction: Instruction, name: str) -> Stage:
        """The stage or image that --from names."""
        known = self._stages.get(name.lower())
        if known:
            return known
        try:
            return Stage.of(self._find(name))
        except ImageError as error:
            raise DockerfileError(instruction.line, f"--from={name}: {error}") from None

    def _choose(self, patterns: tuple[str, ...]) -> tuple[list[files.Item], list[tuple[str, int, str]]]:
        items = [item for pattern in patterns for item in files.select(self._folder, pattern)]
        return items, [(item.target, item.mode, _digest(self._folder.path, item)) for item in items]

    async def run_command(self, built: Stage, instruction: Instruction) -> Stage:
        caches = self._caches(instruction)
        network = instruction.flag("network") or "default"
        if network not in ("default", "host", "none"):
            raise DockerfileError(instruction.line, f"RUN --network={network} is not supported; leave it out")
        run: dict[str, Any] = {
            "argv": _argv(built, instruction),
            # The image's own settings go before the machine's.
            "env": {
                "HOME": "/root",
                **dict(self._steps.machine.env),
                "PIP_CACHE_DIR": "/root/.cache/pip",
                **built.variables,
            },
            "cwd": built.config.workdir,
        }
        step = Step(
            layers=built.layers, binds=built.binds, caches=caches, run=run, network=network != "none", folder=run["cwd"]
        )
        # The machine's settings are no part of what is built, so they are no part of the key.
        return await self._layer(built, instruction, step, (run["argv"], built.variables, built.config.workdir))

    def _caches(self, instruction: Instruction) -> tuple[tuple[str, str], ...]:
        """pip's and npm's downloads, and what --mount=type=cache asks for."""
        found = {"/root/.cache/pip": "pip", "/root/.npm": "npm"}
        for value in (value for name, value in instruction.flags if name == "mount"):
            options = dict(part.partition("=")[::2] for part in value.split(","))
            target = options.get("target") or options.get("dst") or options.get("destination") or ""
            if options.get("type", "bind") != "cache" or not target.startswith("/"):
                raise DockerfileError(
                    instruction.line,
                    f"RUN --mount={value} is not supported; only type=cache with an absolute target is",
                )
            found.setdefault(target, shelf.key("mount", options.get("id") or target))
        return tuple((str(self._shelf.cache(name)), target) for target, name in found.items())

    async def _layer(self, built: Stage, instruction: Instruction, step: Step, content: object) -> Stage:
        """The stage with one more layer, from the cache or made now."""
        key = shelf.key(built.key, instruction.keyword, content)
        self._tell(Event(kind="step", text=str(instruction), line=instruction.line))
        layer = self._shelf.layer(key)
        if layer:
            self._tell(Event(kind="cached", text=str(instruction), line=instruction.line))
        else:
            layer = await self._make(instruction, key, step)
        layers = (str(layer), *built.layers) if any(layer.iterdir()) else built.layers
        return msgspec.structs.replace(built, key=key, layers=layers)

    async def _make(self, instruction: Instruction, key: str, step: Step) -> Path:
        begun = time.monotonic()
        tail: deque[str] = deque(maxlen=_TAIL_LINES)

        def output(text: str) -> None:
            tail.append(text)
            self._tell(Event(kind="output", text=text, line=instruction.line))

        try:
            layer, code = await self._steps.carry_out(key, step, output)
        except ContextError as error:
            raise DockerfileError(instruction.line, f"{instruction.keyword} {error}") from None
        if layer is None:
            hint = hints.find(instruction.text, tail, code)
            raise RunError(instruction.line, instruction.text, code, tuple(tail), hint)
        seconds = time.monotonic() - begun
        self._tell(Event(kind="done", text=str(instruction), line=instruction.line, seconds=seconds))
        return layer

    def _image(self, tag: str, built: Stage) -> Image:
        identity = hashlib.sha256(shelf.key(built.key, msgspec.to_builtins(built.config)).encode()).hexdigest()
        before = self._shelf.read(tag)
        same = before is not None and before.id == f"sha256:{identity}"
        return Image(
            ref=tag,
            id=f"sha256:{identity}",
            layers=built.layers,
            config=built.config,
            binds=built.binds,
            notes=tuple(dict.fromkeys(self._notes)),
            built_at=before.built_at if before and same else time.time(),
            size_bytes=before.size_bytes if before and same else sum(shelf.tree_size(Path(p)) for p in built.layers),
        )

    def _note(self, text: str, line: int = 0) -> None:
        self._notes.append(text)
        self._tell(Event(kind="note", text=text, line=line))

    def _warn_unused(self, header: tuple[Instruction, ...], blocks: tuple[tuple[Instruction, ...], ...]) -> None:
        named = " ".join(i.text for i in (*header, *(i for block in blocks for i in block)) if i.keyword == "ARG")
        for name, _ in self._request.args:
            if name not in named:
                self._tell(Event(kind="note", text=f"--build-arg {name}: the Dockerfile has no ARG {name}"))


# What makes a layer.
_MAKING: dict[str, Callable[[Build, Stage, Instruction], Awaitable[Stage]]] = {
    "WORKDIR": Build.workdir,
    "COPY": Build.copy,
    "ADD": Build.copy,
    "RUN": Build.run_command,
}


def _read(dockerfile: Path) -> str:
    try:
        return dockerfile.read_text("utf-8")
    except FileNotFoundError:
        raise ImageError(f"{dockerfile} does not exist: name the folder with the Dockerfile, or use -f FILE") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ImageError(f"{dockerfile} cannot be read: {error}") from None


def _rules(request: Request) -> tuple[ignore.Rule, ...]:
    """The Dockerfile's own ignore file goes before the folder's."""
    own = request.dockerfile.with_name(f"{request.dockerfile.name}.dockerignore")
    for path in (own, request.context / ".dockerignore"):
        if path.is_file():
            return ignore.rules(path.read_text("utf-8"))
    return ()


def _split(
    instructions: tuple[Instruction, ...],
) -> tuple[tuple[Instruction, ...], tuple[tuple[Instruction, ...], ...]]:
    """The ARGs before the first FROM, and the stages, each of which begins with FROM."""
    starts = [at for at, instruction in enumerate(instructions) if instruction.keyword == "FROM"]
    header = instructions[: starts[0]]
    for instruction in header:
        if instruction.keyword != "ARG":
            raise DockerfileError(instruction.line, f"{instruction.keyword} before FROM: only ARG may stand there")
    ends = [*starts[1:], len(instructions)]
    return header, tuple(instructions[start:end] for start, end in zip(starts, ends, strict=True))


def _globals(header: tuple[Instruction, ...], given: Given) -> Given:
    import platform

    machine = _PLATFORM.get(platform.machine(), platform.machine())
    known: dict[str, str] = {
        **{f"{side}ARCH": machine for side in ("TARGET", "BUILD")},
        **{f"{side}OS": "linux" for side in ("TARGET", "BUILD")},
        **{f"{side}PLATFORM": f"linux/{machine}" for side in ("TARGET", "BUILD")},
    }
    for instruction in header:
        for name, default in stage.declared(instruction, known):
            value = dict(given.args).get(name, default)
            if value is not None:
                known[name] = value
    return msgspec.structs.replace(given, globals=tuple(known.items()))


def _source_of(instruction: Instruction, given: Given) -> str:
    words = stage.words(instruction, dict(given.globals))
    if len(words) not in (1, 3) or (len(words) == 3 and words[1].upper() != "AS"):
        raise DockerfileError(instruction.line, f"FROM {instruction.text}: write FROM image, or FROM image AS name")
    return words[0]


def _alias(instruction: Instruction) -> str:
    words = instruction.text.split()
    return words[2].lower() if len(words) == 3 else ""


def _needed(blocks: tuple[tuple[Instruction, ...], ...]) -> set[int]:
    """The stages that the last one is made of, directly or not."""
    names = {_alias(block[0]): number for number, block in enumerate(blocks)}
    names |= {str(number): number for number in range(len(blocks))}
    needed: set[int] = set()
    waiting = [len(blocks) - 1]
    while waiting:
        number = waiting.pop()
        needed.add(number)
        block = blocks[number]
        used = [block[0].text.split()[0], *(i.flag("from") or "" for i in block)]
        found = [names[name.lower()] for name in used if name.lower() in names]
        waiting += [at for at in found if at < number and at not in needed]
    return needed


def _argv(built: Stage, instruction: Instruction) -> tuple[str, ...]:
    """The command: a list as it stands, anything else given to the shell, with its documents."""
    if instruction.exec:
        return instruction.words
    documents = instruction.heredocs
    if documents and instruction.text.startswith("<<") and len(instruction.text.split()) == 1:
        return (*built.config.shell, documents[0].body)
    bodies = "".join(f"\n{doc.body}{doc.name}" for doc in documents)
    return (*built.config.shell, f"{instruction.text}{bodies}")


def _destination(built: Stage, word: str) -> str:
    """The absolute destination; a slash at its end is kept, because it means a folder."""
    folder = "/" if word.endswith(("/", "/.")) or word in (".", "..") else ""
    return posixpath.normpath(posixpath.join(built.config.workdir, word)).rstrip("/") + folder


def _document(built: Stage, heredoc: Heredoc, destination: str, words: tuple[str, ...]) -> dict[str, Any]:
    """A file written in the Dockerfile itself."""
    single = len(words) == 2 and not destination.endswith("/")
    body = substitution.variables_only(heredoc.body, built.variables) if heredoc.expand else heredoc.body
    return {"path": destination if single else f"{destination}/{heredoc.name}", "body": body, "mode": 0o644}


def _mode(instruction: Instruction) -> int | None:
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
    path = Path(folder, item.source)
    if item.kind == "link":
        return str(path.readlink())
    if item.kind == "folder":
        return ""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise files.RefusedError(f"{item.source} cannot be read: {error.strerror}") from None


def arguments(args: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The arguments of --build-arg as a request takes them."""
    return tuple(args.items())
