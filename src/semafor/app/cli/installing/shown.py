"""Differences on the screen."""

from collections.abc import Sequence
from typing import Any

import yaml

from semafor.installation.diff import Difference

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def show(found: Sequence[Difference]) -> None:
    """One line for each object, and one for each field that differs."""
    for difference in found:
        print(f"{_SIGNS[difference.state]} {difference.name}")
        for path, before, after in difference.fields:
            print(f"    {path}: {_word(before)} -> {_word(after)}")


def _word(value: Any) -> str:
    if value is None:
        return "(none)"
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")
