"""The table of messages: what their fields are called and what they hold."""

import functools
from collections.abc import Mapping
from importlib import resources
from typing import NamedTuple


class Field(NamedTuple):
    """A field. `type` is a scalar's word or a message's name; `mode` is value, pointer, list, map or inline."""

    name: str
    type: str
    mode: str


Messages = Mapping[str, Mapping[int, Field]]


@functools.cache
def messages() -> Messages:
    """All messages by name (`core.v1.Pod`), their fields by number."""
    found: dict[str, dict[int, Field]] = {}
    current: dict[int, Field] = {}
    text = resources.files(__package__).joinpath("messages.txt").read_text()
    for line in text.splitlines():
        if line.startswith(" "):
            number, name, type_, mode = line.split()
            current[int(number)] = Field(name, type_, mode)
        else:
            current = found[line] = {}
    return found
