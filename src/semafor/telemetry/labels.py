"""What names a series: label names and values, the metric's name among them.

Pairs are kept sorted by name, so that equal sets are equal tuples. An empty value means that there is no such label.
"""

from collections.abc import Iterable, Mapping

Pair = tuple[str, str]
Labels = tuple[Pair, ...]

NAME = "__name__"
EMPTY: Labels = ()


def of(mapping: Mapping[str, str]) -> Labels:
    """The labels of a mapping."""
    return tuple(sorted((name, value) for name, value in mapping.items() if value))


def value(labels: Labels, name: str) -> str:
    """The value of one label; "" without it."""
    for known, found in labels:
        if known == name:
            return found
    return ""


def without(labels: Labels, names: Iterable[str]) -> Labels:
    """The labels but for those named."""
    gone = frozenset(names)
    return tuple(pair for pair in labels if pair[0] not in gone)


def only(labels: Labels, names: Iterable[str]) -> Labels:
    """Those of the labels that are named."""
    kept = frozenset(names)
    return tuple(pair for pair in labels if pair[0] in kept)


def nameless(labels: Labels) -> Labels:
    """The labels without the metric's name, which what is computed has no more."""
    if labels and labels[0][0] == NAME:  # nothing sorts before it but names with capital letters
        return labels[1:]
    return without(labels, (NAME,))


def merged(labels: Labels, changes: Mapping[str, str]) -> Labels:
    """The labels with some set to other values, or taken away by empty ones."""
    return of({**dict(labels), **changes})


def written(labels: Labels) -> str:
    """As Prometheus writes them: `up{job="a"}`, `{job="a"}`, `{}`."""
    name = value(labels, NAME)
    inside = ", ".join(f'{key}="{escaped(text)}"' for key, text in labels if key != NAME)
    return f"{name}{{{inside}}}" if inside or not name else name


def escaped(text: str) -> str:
    """For inside of double quotes."""
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
