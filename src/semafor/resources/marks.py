"""What a field's annotation can say beside its type: description, constraint, list and map semantics.

A field reads `name: Annotated[TYPE, MARK..., "Description."] = default`. A field without a default is required.
A string among the marks is the description; `kubectl explain` shows it.
"""

import json
import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

from semafor.base import duration
from semafor.base.struct import Value
from semafor.resources import quantity


class Listing(Value):
    """How a list or a map is merged: by server-side apply (`kind`, `keys`) and by strategic merge (`patch_key`)."""

    kind: Literal["atomic", "set", "map", "granular"]
    keys: tuple[str, ...] = ()
    patch_key: str | None = None
    patch_strategy: str | None = None


class Rule(Value):
    """A constraint on a scalar: `test` returns why the value is wrong, or an empty string."""

    name: str
    test: Callable[[Any], str]
    openapi: tuple[tuple[str, Any], ...] = ()


class Alias(Value):
    """A wrong word that is accepted as the right one, with a warning."""

    wrong: str
    right: str


class Open:
    """The content is free: unknown fields are kept and never reported."""


class Blank:
    """An empty text is a value of its own, not a missing one: the core group, for one."""


ATOMIC = Listing(kind="atomic")
SET = Listing(kind="set")
MERGED_SET = Listing(kind="set", patch_strategy="merge")
RETAIN_KEYS = Listing(kind="granular", patch_strategy="retainKeys")
OPEN = Open()
BLANK = Blank()


def listing(*keys: str, patch_key: str | None = None, strategy: str | None = None) -> Listing:
    """A list of objects told apart by `keys`; `patch_key` is the one key that strategic merge uses.

    Without `keys` the list is atomic to server-side apply, though strategic merge may still have a key.
    """
    merge = strategy or ("merge" if patch_key else None)
    return Listing(kind="map" if keys else "atomic", keys=keys, patch_key=patch_key, patch_strategy=merge)


def within(low: int | None, high: int | None) -> Rule:
    """A whole number or a number between `low` and `high`, both included; None means no bound."""
    bounds = (("minimum", low), ("maximum", high))
    return Rule(
        name=f"{low}..{high}",
        test=lambda value: _out_of_range(value, low, high),
        openapi=tuple((key, value) for key, value in bounds if value is not None),
    )


def _out_of_range(value: Any, low: int | None, high: int | None) -> str:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return ""
    if low is not None and value < low:
        return (
            f"must be greater than or equal to {low}"
            if high is None
            else f"must be between {low} and {high}, inclusive"
        )
    if high is not None and value > high:
        return (
            f"must be less than or equal to {high}" if low is None else f"must be between {low} and {high}, inclusive"
        )
    return ""


def pattern(name: str, regex: str, why: str, *, longest: int | None = None, examples: tuple[str, ...] = ()) -> Rule:
    """A string that matches `regex` as a whole. `why` is the sentence that follows "Invalid value"."""
    compiled = re.compile(regex)
    such_as = f"e.g. {', or '.join(repr(example) for example in examples)}, " if examples else ""

    def test(value: Any) -> str:
        if not isinstance(value, str):
            return ""
        if longest is not None and len(value) > longest:
            return f"must be no more than {longest} characters"
        if not compiled.fullmatch(value):
            return f"{why} ({such_as}regex used for validation is '{regex}')"
        return ""

    openapi: list[tuple[str, Any]] = [("pattern", f"^(?:{regex})$")]
    if longest is not None:
        openapi.append(("maxLength", longest))
    return Rule(name=name, test=test, openapi=tuple(openapi))


LABEL_REGEX = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN_REGEX = rf"{LABEL_REGEX}(\.{LABEL_REGEX})*"
QUALIFIED_REGEX = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"

DNS_LABEL = pattern(
    "dns-label",
    LABEL_REGEX,
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end"
    " with an alphanumeric character",
    longest=63,
    examples=("my-name", "123-abc"),
)
DNS_SUBDOMAIN = pattern(
    "dns-subdomain",
    SUBDOMAIN_REGEX,
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start"
    " and end with an alphanumeric character",
    longest=253,
    examples=("example.com",),
)
DNS_1035_LABEL = pattern(
    "dns-1035-label",
    "[a-z]([-a-z0-9]*[a-z0-9])?",
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character,"
    " and end with an alphanumeric character",
    longest=63,
    examples=("my-name", "abc-123"),
)
LABEL_VALUE = pattern(
    "label-value",
    f"({QUALIFIED_REGEX})?",
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start"
    " and end with an alphanumeric character",
    longest=63,
    examples=("MyValue", "my_value", "12345"),
)
QUALIFIED_NAME = pattern(
    "qualified-name",
    rf"({SUBDOMAIN_REGEX}/)?{QUALIFIED_REGEX}",
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric"
    " character, with an optional DNS subdomain prefix and '/'",
    examples=("MyName", "my.name", "example.com/my-name"),
)
PORT_NAME = pattern(
    "port-name",
    "(?=[^a-z]*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]*[a-z0-9])?",
    "must be a port name of at most 15 lower case letters, digits and '-', with at least one letter",
    longest=15,
)
CONFIG_KEY = pattern(
    "config-key",
    "[-._a-zA-Z0-9]+",
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
    longest=253,
    examples=("key.name", "KEY_NAME", "key-name"),
)
ENV_NAME = pattern(
    "environment-variable",
    "(?!=)[ -<>-~]+",
    "a valid environment variable name must consist only of printable ASCII characters other than '='",
    examples=("MY_NAME", "my.name"),
)
ABSOLUTE_PATH = pattern("absolute-path", "/(?s:.*)", "must be an absolute path")
HOSTNAME = pattern(
    "hostname",
    rf"(\*\.)?{SUBDOMAIN_REGEX}",
    "must be a DNS name in lower case, perhaps with a wildcard as its first label, such as *.example.com",
    longest=253,
)
GATEWAY_DURATION = pattern(
    "gateway-duration", "([0-9]{1,5}(h|m|s|ms)){1,4}", "must be whole numbers with units, such as 10s or 1h30m"
)
PORT = within(1, 65535)
NON_NEGATIVE = within(0, None)
POSITIVE = within(1, None)
PERCENT = within(0, 100)
UINT32 = within(0, 2**32 - 1)

_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def _not_a_quantity(value: Any) -> str:
    try:
        quantity.parse(value)
    except ValueError:
        return "quantities must be a number with an optional suffix such as m, k, M, G, Ki, Mi or Gi"
    return ""


def _not_a_time(value: Any) -> str:
    if isinstance(value, str) and _TIME.fullmatch(value):
        return ""
    return 'must be a time as RFC 3339 writes it, such as "2026-01-31T08:00:00Z"'


def _not_a_duration(value: Any) -> str:
    try:
        duration.parse(str(value))
    except ValueError as error:
        return str(error)
    return ""


QUANTITY = Rule(name="quantity", test=_not_a_quantity)
TIME = Rule(name="time", test=_not_a_time, openapi=(("format", "date-time"),))
DURATION = Rule(name="duration", test=_not_a_duration)

Int32 = Annotated[int, within(-(2**31), 2**31 - 1)]
Port = Annotated[int, PORT]
Quantity = Annotated[str | int | float, QUANTITY]
Resources = dict[str, Quantity]
IntOrString = int | str
Time = Annotated[str, TIME]
Duration = Annotated[str, DURATION]
Choices = tuple[tuple[str, ...], ...]  # names of fields of which only one may be set
Labels = dict[str, str]


def quoted(value: Any) -> str:
    """A value as Kubernetes shows it in an error message."""
    return json.dumps(value, ensure_ascii=False, default=str)
