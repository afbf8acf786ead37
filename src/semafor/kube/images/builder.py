"""A Dockerfile's instructions, one after the other, each a layer found in the cache or made by a step.

The cache is the chain: a layer's key is made of the key before it, the instruction, and the contents of the files that
it copies. So an unchanged folder costs a look at its files, and a change costs the steps from there on.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Literal

import msgspec

from semafor.base.struct import Value
from semafor.kube.images import copying, files, hints, outline, reference, running, shelf, stage, substitution
from semafor.kube.images.dockerfile import Instruction, parse
from semafor.kube.images.errors import ContextError, DockerfileError, ImageError, RunError
from semafor.kube.images.image import Image
from semafor.kube.images.outline import Block
from semafor.kube.images.stage import Given, Stage
from semafor.kube.images.steps import Step, Steps

# overlayfs takes one page of options, which this many layers fill.
_MAX_LAYERS = 100
_TAIL_LINES = 20


class Event(Value):
    """Progress: a `step` begins, was `cached`, ended (`done`); a line of `output`; a `note` for the user."""

    kind: Literal["step", "cached", "done", "output", "note"]
    text: str
    line: int = 0
    seconds: float = 0


class Request(Value):
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
        self._folder = files.Folder(
            str(request.context), strict=True, rules=copying.rules(request.dockerfile, request.context)
        )
        self._stages: dict[str, Stage] = {}
        self._notes: list[str] = []
        self._given = Given(args=request.args)

    async def run(self) -> Image:
        """Build the last stage and those that it needs. Raises ImageError."""
        tag = str(reference.parse(self._request.tag))
        header, blocks = outline.split(parse(_read(self._request.dockerfile)))
        self._given = outline.with_globals(header, self._given)
        needed = outline.needed(blocks, self._given)
        built = Stage(key="")
        for number, block in enumerate(blocks):
            if number in needed:
                built = await self._block(block)
                self._stages[str(number)] = built
                self._stages[outline.alias(block[0]) or str(number)] = built
        self._warn_unused(header, blocks)
        image = self._image(tag, built)
        self._shelf.write(image)
        return image

    async def _block(self, block: Block) -> Stage:
        built = self._from(block[0])
        for instruction in block[1:]:
            try:
                built = await self._instruction(built, instruction)
            except substitution.SubstitutionError as error:
                raise DockerfileError(instruction.line, str(error)) from None
            if len(built.layers) > _MAX_LAYERS:
                raise DockerfileError(instruction.line, f"more than {_MAX_LAYERS} layers: join some RUN lines with &&")
        return built

    async def _instruction(self, built: Stage, instruction: Instruction) -> Stage:
        if instruction.keyword in stage.CONFIGURING:
            return stage.configure(built, instruction, self._given)
        return await _MAKING[instruction.keyword](self, built, instruction)

    def _from(self, instruction: Instruction) -> Stage:
        name = outline.base_of(instruction, self._given)
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
        destination = copying.destination(built, words[-1])
        documents = tuple(copying.document(built, doc, destination, words) for doc in instruction.heredocs)
        patterns = tuple(word for word in words[:-1] if not word.startswith("<<"))
        job, content = await self._copy_job(instruction, patterns, destination) if patterns else (None, None)
        step = Step(layers=built.layers, copy=job, documents=documents)
        return await self._layer(built, instruction, step, (content, documents, destination))

    async def _copy_job(
        self, instruction: Instruction, patterns: tuple[str, ...], destination: str
    ) -> tuple[copying.Job, object]:
        job = copying.common(instruction, patterns, destination)
        source = instruction.flag("from")
        if source is not None:
            return copying.from_stage(job, self._other(instruction, source), patterns)
        try:
            return await asyncio.to_thread(copying.from_folder, job, self._folder, patterns)
        except files.RefusedError as error:
            raise DockerfileError(instruction.line, f"{instruction.keyword} {error}") from None

    def _other(self, instruction: Instruction, name: str) -> Stage:
        """The stage or image that --from names."""
        known = self._stages.get(name.lower())
        if known:
            return known
        try:
            return Stage.of(self._find(name))
        except ImageError as error:
            raise DockerfileError(instruction.line, f"--from={name}: {error}") from None

    async def run_command(self, built: Stage, instruction: Instruction) -> Stage:
        # The image's own settings go before the machine's.
        machine = {"HOME": "/root", **dict(self._steps.machine.env), "PIP_CACHE_DIR": "/root/.cache/pip"}
        run: dict[str, Any] = {
            "argv": running.argv(built, instruction),
            "env": {**machine, **built.variables},
            "cwd": built.config.workdir,
        }
        step = Step(
            layers=built.layers,
            binds=built.binds,
            caches=tuple((str(self._shelf.cache(name)), inside) for name, inside in running.caches(instruction)),
            folder=built.config.workdir,
            run=run,
            network=running.network(instruction),
        )
        # The machine's settings are no part of what is built, so they are no part of the key.
        return await self._layer(built, instruction, step, (run["argv"], built.variables, built.config.workdir))

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
        identity = shelf.identity(built.key, msgspec.to_builtins(built.config))
        before = self._shelf.read(tag)
        same = before is not None and before.id == identity
        return Image(
            ref=tag,
            id=identity,
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

    def _warn_unused(self, header: Block, blocks: tuple[Block, ...]) -> None:
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
