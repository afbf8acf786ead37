"""One stage of a build, and what the instructions that only describe the image do to it. Pure."""

import posixpath
import re
from collections.abc import Callable, Mapping

import msgspec

from semafor.base.struct import Value
from semafor.kube.images import substitution
from semafor.kube.images.dockerfile import Instruction
from semafor.kube.images.errors import DockerfileError
from semafor.kube.images.image import Config, Image

_PORT = re.compile(r"(\d+)(?:-(\d+))?(?:/(?:tcp|udp|sctp))?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SIGNAL = re.compile(r"\d+|SIG[A-Z0-9+-]+")


class Stage(Value):
    """What the instructions so far have made. `key` names it in the cache; `layers` are top first.

    `args` are the ARGs in scope with their values. `own_cmd` tells whether CMD was written here, not inherited.
    """

    key: str
    layers: tuple[str, ...] = ()
    config: Config = Config()
    binds: tuple[tuple[str, str], ...] = ()
    args: tuple[tuple[str, str], ...] = ()
    own_cmd: bool = False

    @classmethod
    def of(cls, image: Image) -> "Stage":
        """The stage that starts from an image."""
        return cls(key=image.id, layers=image.layers, config=image.config, binds=image.binds)

    @property
    def variables(self) -> dict[str, str]:
        """What `$name` means in an instruction: ENV goes before ARG."""
        return {**dict(self.args), **dict(self.config.env)}


class Given(Value):
    """What is given from outside: --build-arg, and the values of ARGs before the first FROM."""

    args: tuple[tuple[str, str], ...] = ()
    globals: tuple[tuple[str, str], ...] = ()


def words(instruction: Instruction, variables: Mapping[str, str]) -> tuple[str, ...]:
    """The instruction's arguments, with variables replaced. Raises DockerfileError."""
    try:
        if instruction.exec:
            return tuple(substitution.variables_only(word, variables) for word in instruction.words)
        return substitution.words(instruction.text, variables)
    except substitution.SubstitutionError as error:
        raise DockerfileError(instruction.line, str(error)) from None


def text(instruction: Instruction, variables: Mapping[str, str]) -> str:
    """The instruction's arguments as one text. Raises DockerfileError."""
    try:
        return substitution.expand(instruction.text, variables)
    except substitution.SubstitutionError as error:
        raise DockerfileError(instruction.line, str(error)) from None


def configure(stage: Stage, instruction: Instruction, given: Given) -> Stage:
    """The stage after an instruction of `CONFIGURING`. Raises DockerfileError."""
    return CONFIGURING[instruction.keyword](stage, instruction, given)


def workdir(stage: Stage, instruction: Instruction) -> str:
    """The folder that WORKDIR means; a relative one is below the current one."""
    return posixpath.normpath(posixpath.join(stage.config.workdir, text(instruction, stage.variables)))


def _with(stage: Stage, **changes: object) -> Stage:
    return msgspec.structs.replace(stage, config=msgspec.structs.replace(stage.config, **changes))


def _pairs(stage: Stage, instruction: Instruction) -> tuple[tuple[str, str], ...]:
    """`a=1 b="x y"`, or the old form `a the rest`."""
    first = instruction.text.split(None, 1)
    if "=" not in first[0]:
        if len(first) == 1:
            raise DockerfileError(instruction.line, f"{instruction.keyword} {first[0]} has no value: write NAME=value")
        return ((first[0], substitution.expand(first[1], stage.variables)),)
    pairs = []
    for word in words(instruction, stage.variables):
        name, equals, value = word.partition("=")
        if not equals:
            raise DockerfileError(instruction.line, f"{instruction.keyword} {word} has no value: write {word}=value")
        pairs.append((name, value))
    return tuple(pairs)


def _env(stage: Stage, instruction: Instruction, _: Given) -> Stage:
    return _with(stage, env=tuple({**dict(stage.config.env), **dict(_pairs(stage, instruction))}.items()))


def _label(stage: Stage, instruction: Instruction, _: Given) -> Stage:
    return _with(stage, labels=tuple({**dict(stage.config.labels), **dict(_pairs(stage, instruction))}.items()))


def _maintainer(stage: Stage, instruction: Instruction, _: Given) -> Stage:
    return _with(stage, labels=(*stage.config.labels, ("maintainer", instruction.text)))


def _arg(stage: Stage, instruction: Instruction, given: Given) -> Stage:
    """A value given from outside wins, then the default, then the ARG of the same name before the first FROM."""
    known = dict(stage.args)
    for name, default in declared(instruction, stage.variables):
        value = dict(given.args).get(name, default)
        value = dict(given.globals).get(name) if value is None else value
        if value is not None:
            known[name] = value
    return msgspec.structs.replace(stage, args=tuple(known.items()))


def declared(instruction: Instruction, variables: Mapping[str, str]) -> tuple[tuple[str, str | None], ...]:
    """The (name, default) pairs of an ARG; None without a default."""
    found = []
    for word in words(instruction, variables):
        name, equals, default = word.partition("=")
        if not _NAME.fullmatch(name):
            raise DockerfileError(instruction.line, f"ARG {word}: {name!r} is not a name")
        found.append((name, default if equals else None))
    return tuple(found)


def _expose(stage: Stage, instruction: Instruction, _: Given) -> Stage:
    ports = list(stage.config.exposed)
    for word in words(instruction, stage.variables):
        found = _PORT.fullmatch(word)
        if not found or int(found[2] or found[1]) > 65535:
            raise DockerfileError(instruction.line, f"EXPOSE {word} is not a port: write 8080 or 8080/tcp")
        ports += range(int(found[1]), int(found[2] or found[1]) + 1)
    return _with(stage, exposed=tuple(dict.fromkeys(ports)))


def _user(stage: Stage, instruction: Instruction, _: Given) -> Stage:
    return _with(stage, user=text(instruction, stage.variables))


def _command(stage: Stage, instruction: Instruction) -> tuple[str, ...]:
    return instruction.words if instruction.exec else (*stage.config.shell, instruction.text)


def _cmd(stage: Stage, instruction: Instruction, _: Given) -> Stage:
    return msgspec.structs.replace(_with(stage, cmd=_command(stage, instruction)), own_cmd=True)


def _entrypoint(stage: Stage, instruction: Instruction, _: Given) -> Stage:
    """A new entry point takes away the arguments meant for the inherited one."""
    cmd = stage.config.cmd if stage.own_cmd else ()
    return _with(stage, entrypoint=_command(stage, instruction), cmd=cmd)


def _volume(stage: Stage, instruction: Instruction, _: Given) -> Stage:
    return _with(stage, volumes=(*stage.config.volumes, *words(instruction, stage.variables)))


def _shell(stage: Stage, instruction: Instruction, _: Given) -> Stage:
    if not instruction.words:
        raise DockerfileError(instruction.line, 'SHELL needs a JSON list, such as ["/bin/bash", "-c"]')
    return _with(stage, shell=instruction.words)


def _stop_signal(stage: Stage, instruction: Instruction, _: Given) -> Stage:
    signal = text(instruction, stage.variables)
    if not _SIGNAL.fullmatch(signal):
        raise DockerfileError(instruction.line, f"STOPSIGNAL {signal} is not a signal: write SIGTERM or 15")
    return _with(stage, stop_signal=signal)


def _nothing(stage: Stage, instruction: Instruction, given: Given) -> Stage:  # noqa: ARG001
    return stage


CONFIGURING: dict[str, Callable[[Stage, Instruction, Given], Stage]] = {
    "ARG": _arg,
    "CMD": _cmd,
    "ENTRYPOINT": _entrypoint,
    "ENV": _env,
    "EXPOSE": _expose,
    "HEALTHCHECK": _nothing,  # Kubernetes has probes in the manifest, and ignores it as well
    "LABEL": _label,
    "MAINTAINER": _maintainer,
    "SHELL": _shell,
    "STOPSIGNAL": _stop_signal,
    "USER": _user,
    "VOLUME": _volume,
}
