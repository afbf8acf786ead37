"""The outline of a Dockerfile: its stages, and which of them the last one needs. Pure."""

import platform

import msgspec

from semafor.kube.images import stage
from semafor.kube.images.dockerfile import Instruction
from semafor.kube.images.errors import DockerfileError
from semafor.kube.images.stage import Given

Block = tuple[Instruction, ...]

# Docker's names of processors.
_PROCESSORS = {"x86_64": "amd64", "aarch64": "arm64"}


def split(
    instructions: tuple[Instruction, ...],
) -> tuple[Block, tuple[Block, ...]]:
    """The ARGs before the first FROM, and the stages, each of which begins with FROM."""
    starts = [at for at, instruction in enumerate(instructions) if instruction.keyword == "FROM"]
    header = instructions[: starts[0]]
    for instruction in header:
        if instruction.keyword != "ARG":
            raise DockerfileError(instruction.line, f"{instruction.keyword} before FROM: only ARG may stand there")
    ends = [*starts[1:], len(instructions)]
    return header, tuple(instructions[start:end] for start, end in zip(starts, ends, strict=True))


def with_globals(header: Block, given: Given) -> Given:
    """What the ARGs before the first FROM add, and those that Docker knows by itself."""
    machine = _PROCESSORS.get(platform.machine(), platform.machine())
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


def base_of(instruction: Instruction, given: Given) -> str:
    """What FROM names: an image, or an earlier stage."""
    words = stage.words(instruction, dict(given.globals))
    if len(words) not in (1, 3) or (len(words) == 3 and words[1].upper() != "AS"):
        raise DockerfileError(instruction.line, f"FROM {instruction.text}: write FROM image, or FROM image AS name")
    return words[0]


def alias(instruction: Instruction) -> str:
    """The name of the stage that FROM begins, in lower case; empty when it has none."""
    words = instruction.text.split()
    return words[2].lower() if len(words) == 3 else ""


def needed(blocks: tuple[Block, ...], given: Given) -> set[int]:
    """The stages that the last one is made of, directly or not."""
    names = {alias(block[0]): number for number, block in enumerate(blocks)}
    names |= {str(number): number for number in range(len(blocks))}
    found: set[int] = set()
    waiting = [len(blocks) - 1]
    while waiting:
        number = waiting.pop()
        found.add(number)
        block = blocks[number]
        used = [base_of(block[0], given), *(i.flag("from") or "" for i in block)]
        earlier = [names[name.lower()] for name in used if name.lower() in names]
        waiting += [at for at in earlier if at < number and at not in found]
    return found
