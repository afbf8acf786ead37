"""Which statistics of its proxy a pod wants to see: Istio's annotations `sidecar.istio.io/stats...`. Pure.

Source: Istio's reference of annotations; its bootstrap, for what the names of Istio's metrics begin with.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from semafor.base.problem import ObjectRef, Problem
from semafor.envoy.render.metrics import PREFIX
from semafor.envoy.statistics import Shown

_NAME: Final = "sidecar.istio.io/stats"
_BUCKETS: Final = _NAME + "HistogramBuckets"
_REGEXES: Final = _NAME + "InclusionRegexps"
_ISTIOS: Final = "istiocustom"  # what Istio's metrics are below in Istio's proxies
_MOST: Final = 100  # buckets of one histogram


def of(annotations: Mapping[str, str]) -> Shown:
    """What is to be seen besides the usual, and the buckets of histograms; what is not understood is left out."""
    try:
        buckets = _buckets(annotations.get(_BUCKETS, "{}"))
    except ValueError:
        buckets = ()
    return Shown(
        prefixes=_listed(annotations, "InclusionPrefixes"),
        suffixes=_listed(annotations, "InclusionSuffixes"),
        regexes=tuple(one for one in _listed(annotations, "InclusionRegexps") if _is_regex(one)),
        buckets=buckets,
    )


def written(shown: Shown) -> dict[str, str]:
    """The annotations that say the same; a pod's own go before each of them."""
    lists = {"Prefixes": shown.prefixes, "Suffixes": shown.suffixes, "Regexps": shown.regexes}
    return {f"{_NAME}Inclusion{name}": ",".join(words) for name, words in lists.items() if words}


def problems(annotations: Mapping[str, str], ref: ObjectRef) -> Iterator[Problem]:
    """What of them is not understood."""
    wrong = {}
    try:
        _buckets(annotations.get(_BUCKETS, "{}"))
    except ValueError as error:
        wrong[_BUCKETS] = f"it is ignored: {error}"
    for one in _listed(annotations, "InclusionRegexps"):
        if not _is_regex(one):
            wrong[_REGEXES] = f"{one!r} is no regular expression, so it is ignored"
    for name, message in wrong.items():
        path = f"metadata.annotations[{name}]"
        yield Problem(ref=ref, path=path, reason="InvalidAnnotation", message=message, fix="mend it")


def _listed(annotations: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in annotations.get(_NAME + name, "").split(",") if one.strip())


def _is_regex(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:
        return False
    return not re.search(r"\(\?[=!<]|\\[1-9]", text)  # RE2, which Envoy has, does not look around or back


def _buckets(text: str) -> tuple[tuple[str, tuple[float, ...]], ...]:
    """Upper bounds by what names begin with. Raises ValueError, which says what is expected."""
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError('an object is expected, such as {"istiocustom": [1, 5, 10]}')
    return tuple((prefix.replace(_ISTIOS, PREFIX, 1), _bounds(bounds)) for prefix, bounds in document.items())


def _bounds(bounds: object) -> tuple[float, ...]:
    if not isinstance(bounds, list) or not 0 < len(bounds) <= _MOST:
        raise ValueError(f"1 to {_MOST} numbers are expected for each prefix")
    if any(isinstance(one, bool) or not isinstance(one, (int, float)) or one <= 0 for one in bounds):
        raise ValueError("buckets are numbers above 0")
    if bounds != sorted(set(bounds)):
        raise ValueError("buckets go up")
    return tuple(float(one) for one in bounds)
