"""Which series have which labels.

Pairs are interned: ten thousand series of twenty labels have some hundred different pairs. Only the metric's name has a
list of its series; other matchers are judged pair by pair, once for each different pair.
"""

from collections.abc import Iterable, Iterator, Sequence

from semafor.telemetry.labels import NAME, Labels, Pair
from semafor.telemetry.matching import Matcher


class Index:
    """Numbers of series, by labels. A number is never used again."""

    def __init__(self) -> None:
        self._next = 1
        self._labels: dict[int, Labels] = {}
        self._ids: dict[Labels, int] = {}
        self._pairs: dict[Pair, Pair] = {}
        self._values: dict[str, dict[str, None]] = {}
        self._named: dict[str, set[int]] = {}

    def __len__(self) -> int:
        return len(self._labels)

    def find(self, labels: Labels) -> int | None:
        return self._ids.get(labels)

    def labels(self, series: int) -> Labels:
        return self._labels[series]

    def known(self) -> Iterable[int]:
        return self._labels.keys()

    def add(self, labels: Labels, number: int = 0) -> int:
        """A number for new labels: the next one, or the one that they had before a restart."""
        series = number or self._next
        self._next = max(self._next, series) + 1 if number >= self._next or not number else self._next
        interned = tuple(self._interned(pair) for pair in labels)
        self._labels[series] = interned
        self._ids[interned] = series
        self._named.setdefault(dict(interned).get(NAME, ""), set()).add(series)
        return series

    def _interned(self, pair: Pair) -> Pair:
        known = self._pairs.get(pair)
        if known is None:
            known = self._pairs[pair] = pair
            self._values.setdefault(pair[0], {})[pair[1]] = None
        return known

    def remove(self, gone: Iterable[int]) -> None:
        """Forget series; and the pairs that none has any more."""
        for series in gone:
            labels = self._labels.pop(series)
            del self._ids[labels]
            name = dict(labels).get(NAME, "")
            self._named[name].discard(series)
            if not self._named[name]:
                del self._named[name]
        used = {pair for labels in self._labels.values() for pair in labels}
        self._pairs = {pair: pair for pair in self._pairs if pair in used}
        self._values = {}
        for name, value in self._pairs:
            self._values.setdefault(name, {})[value] = None

    def select(self, matchers: Sequence[Matcher]) -> Iterator[int]:
        """The series that all matchers take."""
        filters = [self._filter(matcher) for matcher in matchers if not _names_one(matcher)]
        for series in self._candidates(matchers):
            labels = self._labels[series]
            if all(_passes(filter_, labels) for filter_ in filters):
                yield series

    def _candidates(self, matchers: Sequence[Matcher]) -> Iterable[int]:
        names = [matcher for matcher in matchers if matcher.name == NAME]
        if not names:
            return self._labels
        wanted = [name for name in self._named if all(matcher.matches(name) for matcher in names)]
        return (series for name in wanted for series in self._named[name])

    def _filter(self, matcher: Matcher) -> tuple[frozenset[Pair], bool]:
        """The pairs of this label that decide, and what having one of them means.

        A matcher that takes "" takes series without the label: there the pairs are those that it does not take.
        """
        lets_empty = matcher.matches("")
        values = self._values.get(matcher.name, {})
        pairs = frozenset((matcher.name, value) for value in values if matcher.matches(value) != lets_empty)
        return pairs, not lets_empty

    def names(self) -> Iterable[str]:
        return self._values.keys()

    def values(self, name: str) -> Iterable[str]:
        return self._values.get(name, {}).keys()

    def counts(self) -> dict[str, int]:
        """How many series each metric has."""
        return {name: len(found) for name, found in self._named.items()}


def _names_one(matcher: Matcher) -> bool:
    return matcher.name == NAME


def _passes(filter_: tuple[frozenset[Pair], bool], labels: Labels) -> bool:
    pairs, wanted = filter_
    return pairs.isdisjoint(labels) != wanted
