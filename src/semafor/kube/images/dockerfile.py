"""The text of a Dockerfile as a list of instructions. Pure; variables are left as they are (see substitution.py).

Source: https://docs.docker.com/reference/dockerfile/. What this builder cannot do is refused here, by name.
"""

import json
import re
from collections.abc import Iterator

from semafor.base.struct import Value
from semafor.kube.images.errors import DockerfileError

# keyword -> the flags it takes
_FLAGS: dict[str, tuple[str, ...]] = {
    "FROM": ("platform",),
    "RUN": ("mount", "network"),
    "COPY": ("from", "chown", "chmod", "link"),
    "ADD": ("chown", "chmod", "link"),
    "HEALTHCHECK": ("interval", "timeout", "start-period", "start-interval", "retries"),
    **dict.fromkeys(("WORKDIR", "ENV", "ARG", "EXPOSE", "USER", "ENTRYPOINT", "CMD", "LABEL"), ()),
    **dict.fromkeys(("VOLUME", "SHELL", "STOPSIGNAL", "MAINTAINER"), ()),
}
_REFUSED = {
    "ONBUILD": "is not supported; write its instruction into the Dockerfiles that build on this image",
}
_HEREDOC = re.compile(r"<<(-?)([\"']?)([A-Za-z_][A-Za-z0-9_]*)\2(?=\s|$)")
_DIRECTIVE = re.compile(r"#\s*([A-Za-z]+)\s*=\s*(\S+)\s*$")
_HEREDOC_KEYWORDS = ("RUN", "COPY", "ADD")


class Heredoc(Value):
    """A document in the text: `name` is its delimiter; `expand` is False when that was quoted."""

    name: str
    body: str
    expand: bool


class Instruction(Value):
    """One instruction. `words` are its arguments when written as a JSON list (`exec` True); otherwise `text` holds all.

    `line` counts from 1. `flags` are (name, value) pairs without the dashes.
    """

    line: int
    keyword: str
    text: str
    words: tuple[str, ...] = ()
    exec: bool = False
    flags: tuple[tuple[str, str], ...] = ()
    heredocs: tuple[Heredoc, ...] = ()

    def flag(self, name: str) -> str | None:
        """The last value given for a flag; None when it was not given."""
        return next((value for key, value in reversed(self.flags) if key == name), None)

    def __str__(self) -> str:
        shown = " ".join((self.keyword, *(f"--{key}={value}" for key, value in self.flags), self.text))
        return shown if len(shown) <= 120 else f"{shown[:117]}..."


def parse(text: str) -> tuple[Instruction, ...]:
    """The instructions, in order. Raises DockerfileError at the first line that is wrong."""
    lines = text.removeprefix("\ufeff").splitlines()
    escape = _escape(lines)
    instructions = tuple(_instruction(number, whole, docs) for number, whole, docs in _join(lines, escape))
    if not any(instruction.keyword == "FROM" for instruction in instructions):
        raise DockerfileError(0, "no FROM: the first instruction names the image to start from")
    return instructions


def _escape(lines: list[str]) -> str:
    """The continuation character: a backslash, unless a directive at the very top says otherwise."""
    for line in lines:
        found = _DIRECTIVE.match(line.strip())
        if not found:
            break
        if found[1].lower() == "escape":
            return found[2]
    return "\\"


def _join(lines: list[str], escape: str) -> Iterator[tuple[int, str, tuple[Heredoc, ...]]]:
    """Join continued lines and take heredocs out; comments and empty lines disappear, also between continued lines."""
    rest = iter(enumerate(lines, 1))
    start, parts = 0, []
    for number, line in rest:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        start = start or number
        body = line.rstrip()
        if body.endswith(escape):
            parts.append(body[: -len(escape)])
            continue
        whole = "".join((*parts, body)).strip()
        yield start, whole, _heredocs(start, whole, rest)
        start, parts = 0, []
    if parts and "".join(parts).strip():
        yield start, "".join(parts).strip(), ()


def _heredocs(start: int, whole: str, rest: Iterator[tuple[int, str]]) -> tuple[Heredoc, ...]:
    if whole.split(None, 1)[0].upper() not in _HEREDOC_KEYWORDS:
        return ()
    return tuple(_heredoc(start, found, rest) for found in _HEREDOC.finditer(whole))


def _heredoc(start: int, found: re.Match[str], rest: Iterator[tuple[int, str]]) -> Heredoc:
    tabs, quote, name = found[1], found[2], found[3]
    body: list[str] = []
    for _, line in rest:
        shown = line.lstrip("\t") if tabs else line
        if shown == name:
            return Heredoc(name=name, body="".join(f"{text}\n" for text in body), expand=not quote)
        body.append(shown)
    raise DockerfileError(start, f"the document <<{name} has no end: write {name} alone on a line")


def _instruction(line: int, whole: str, heredocs: tuple[Heredoc, ...]) -> Instruction:
    keyword, _, rest = whole.partition(" ") if " " in whole else whole.partition("\t")
    keyword = keyword.upper()
    if keyword in _REFUSED:
        raise DockerfileError(line, f"{keyword} {_REFUSED[keyword]}")
    if keyword not in _FLAGS:
        raise DockerfileError(line, f"unknown instruction {keyword}; the known ones are {', '.join(sorted(_FLAGS))}")
    flags, rest = _split_flags(line, keyword, rest.strip())
    if not rest:
        raise DockerfileError(line, f"{keyword} needs an argument")
    words = _json_words(line, keyword, rest)
    return Instruction(
        line=line,
        keyword=keyword,
        text=rest,
        words=words or (),
        exec=words is not None,
        flags=flags,
        heredocs=heredocs,
    )


def _split_flags(line: int, keyword: str, rest: str) -> tuple[tuple[tuple[str, str], ...], str]:
    flags = []
    while rest.startswith("--"):
        word, _, rest = rest.partition(" ")
        name, _, value = word[2:].partition("=")
        if not name:
            break
        if name not in _FLAGS[keyword]:
            raise DockerfileError(line, f"{keyword} --{name} is not supported; leave it out")
        flags.append((name, value))
        rest = rest.strip()
    return tuple(flags), rest


def _json_words(line: int, keyword: str, rest: str) -> tuple[str, ...] | None:
    """The exec form's words; None when the text is the shell form."""
    if not rest.startswith("["):
        return None
    try:
        words = json.loads(rest)
    except ValueError:
        # As in Docker, what is no JSON list is a command for the shell; but SHELL and single quotes are mistakes.
        if keyword == "SHELL" or re.match(r"\[\s*'", rest):
            raise DockerfileError(line, f'{keyword} {rest} is not a JSON list: use double quotes, ["a", "b"]') from None
        return None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise DockerfileError(line, f"{keyword} {rest} must be a list of strings")
    return tuple(words)
