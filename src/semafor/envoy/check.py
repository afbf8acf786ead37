"""What Envoy would refuse, found before it is sent: the rules that its schema carries (protoc-gen-validate).

    Checker(pool).violations(message) -> ("virtual_hosts[0].routes[2].match: required", ...)

It finds what the schema can say (ranges, lengths, patterns, required fields); Envoy itself may know more.
Source: validate/validate.proto, which is among the descriptors in the binary.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

from google.protobuf.message import DecodeError

from semafor.envoy.pool import Pool

Test = Callable[[Any], str | None]  # a value -> what is wrong with it
# A message, the path to it, and where to say what is wrong with one of its fields. There are some hundred calls for
# each virtual host, so they add to one list instead of handing their findings up.
Check = Callable[[Any, str, list[str]], None]

_WRAPPERS: Final = frozenset(
    f"google.protobuf.{kind}Value"
    for kind in ("Bool", "Bytes", "Double", "Float", "Int32", "Int64", "String", "UInt32", "UInt64")
)
_ANY: Final = "google.protobuf.Any"
_DURATION: Final = "google.protobuf.Duration"
_HEADER: Final = {
    "HTTP_HEADER_NAME": re.compile(r":?[0-9a-zA-Z!#$%&'*+-.^_|~`]+"),
    "HTTP_HEADER_VALUE": re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*"),
}
_LOOSE_HEADER: Final = re.compile(r"[^\x00\n\r]*")
_LIMITS: Final = (
    ("const", "be", lambda value, bound: value == bound),
    ("lt", "be below", lambda value, bound: value < bound),
    ("lte", "be at most", lambda value, bound: value <= bound),
    ("gt", "be above", lambda value, bound: value > bound),
    ("gte", "be at least", lambda value, bound: value >= bound),
)
_LENGTHS: Final = (
    ("len", "have the length", lambda value, bound: len(value) == bound),
    ("min_len", "have a length of at least", lambda value, bound: len(value) >= bound),
    ("max_len", "have a length of at most", lambda value, bound: len(value) <= bound),
    ("min_bytes", "have at least this many bytes:", lambda value, bound: len(value.encode()) >= bound),
    ("max_bytes", "have at most this many bytes:", lambda value, bound: len(value.encode()) <= bound),
    ("prefix", "begin with", lambda value, bound: value.startswith(bound)),
    ("suffix", "end with", lambda value, bound: value.endswith(bound)),
    ("contains", "contain", lambda value, bound: bound in value),
)


class Checker:
    """Reads the rules of each message type once."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._rules = pool.extension("validate.rules")
        self._required = pool.extension("validate.required")
        self._plan = cache(self._new_plan)

    def violations(self, message: Any) -> tuple[str, ...]:
        """One text per broken rule: the path of the field and what it must be."""
        found: list[str] = []
        self._message(message, "", found)
        return tuple(found)

    def _message(self, message: Any, path: str, found: list[str]) -> None:
        plan = self._plan(message.DESCRIPTOR)
        missing = [oneof for oneof in plan.required_oneofs if message.WhichOneof(oneof) is None]
        found += [f"{path}{oneof}: one of its fields is required" for oneof in missing]
        for check in plan.always:
            check(message, path, found)
        if plan.when_set:
            for field, _ in message.ListFields():
                check_set = plan.when_set.get(field.number)
                if check_set:
                    check_set(message, path, found)

    def _new_plan(self, descriptor: Any) -> "_Plan":
        plan = _Plan()
        for oneof in descriptor.oneofs:
            if self._option(oneof, "google.protobuf.OneofOptions", self._required):
                plan.required_oneofs.append(oneof.name)
        for field in descriptor.fields:
            rules = self._option(field, "google.protobuf.FieldOptions", self._rules)
            check = self._field(field, rules)
            if check is not None and _may_miss(field, rules):
                plan.always.append(check)
            elif check is not None:
                plan.when_set[field.number] = check
        return plan

    def _field(self, field: Any, rules: Any) -> Check | None:
        """The check of one field, or None where nothing can be wrong."""
        if field.message_type and field.message_type.GetOptions().map_entry:
            return self._map(field)
        if field.is_repeated:
            return self._repeated(field, rules)
        return self._single(field, rules)

    def _single(self, field: Any, rules: Any) -> Check | None:
        test = _test(rules)
        required = _required(rules) and field.containing_oneof is None  # the other members of a one-of are not missed
        skip = bool(rules and rules.message.skip)
        name, nested = field.name, field.message_type is not None
        if not nested and test is None:
            return None
        value_of = _value_of(field)

        may_be_absent, inside = field.has_presence, nested and not skip

        def check(message: Any, path: str, found: list[str]) -> None:
            if may_be_absent and not message.HasField(name):
                if required:
                    found.append(f"{path}{name}: required")
                return
            value = getattr(message, name)
            wrong = test(value_of(value)) if test else None
            if wrong:
                found.append(f"{path}{name}: {wrong}")
            if inside:
                self._nested(value, f"{path}{name}.", found)

        return check

    def _repeated(self, field: Any, rules: Any) -> Check | None:
        of = rules.repeated if rules and rules.WhichOneof("type") == "repeated" else None
        item_rules = of.items if of and of.HasField("items") else None
        test, name, nested = _test(item_rules), field.name, field.message_type is not None
        least, most = (of.min_items if of else 0), (of.max_items if of and of.HasField("max_items") else None)
        may_be_empty = bool(of and of.ignore_empty)
        if test is None and not nested and not least and most is None:
            return None
        value_of = _value_of(field)

        def check(message: Any, path: str, found: list[str]) -> None:
            values = getattr(message, name)
            if len(values) < least and not (may_be_empty and not values):
                found.append(f"{path}{name}: needs at least {least} items")
            if most is not None and len(values) > most:
                found.append(f"{path}{name}: takes at most {most} items")
            for i, value in enumerate(values):
                wrong = test(value_of(value)) if test else None
                if wrong:
                    found.append(f"{path}{name}[{i}]: {wrong}")
                if nested:
                    self._nested(value, f"{path}{name}[{i}].", found)

        return check

    def _map(self, field: Any) -> Check | None:
        """The values of a map; its keys have no rules of their own in Envoy's API."""
        name = field.name
        if field.message_type.fields_by_name["value"].message_type is None:
            return None

        def check(message: Any, path: str, found: list[str]) -> None:
            for key, value in getattr(message, name).items():
                self._nested(value, f"{path}{name}[{key}].", found)

        return check

    def _nested(self, message: Any, path: str, found: list[str]) -> None:
        """Into messages, and into what an Any holds where its type is one of Envoy's."""
        if message.DESCRIPTOR.full_name != _ANY:
            self._message(message, path, found)
            return
        try:
            inner = self._pool.message(message.type_url.rpartition("/")[2]).FromString(message.value)
        except (KeyError, DecodeError):
            found.append(f"{path.rstrip('.')}: {message.type_url or 'nothing'} is not a type of this Envoy")
            return
        self._message(inner, path, found)

    def _option(self, descriptor: Any, options: str, extension: Any) -> Any:
        """A custom option, read through this pool, for the library's own pool does not know it."""
        raw = descriptor.GetOptions().SerializeToString()
        parsed = self._pool.message(options).FromString(raw)
        return parsed.Extensions[extension] if parsed.HasExtension(extension) else None


class _Plan:
    """What is checked of a type: some fields of every message, others, by their numbers, where they are set."""

    def __init__(self) -> None:
        self.required_oneofs: list[str] = []
        self.always: list[Check] = []
        self.when_set: dict[int, Check] = {}


def _may_miss(field: Any, rules: Any) -> bool:
    """Whether the field can be wrong by not being set. Most fields of most messages are not, and are not looked at."""
    if field.is_repeated:
        return rules is not None and rules.WhichOneof("type") == "repeated" and rules.repeated.min_items > 0
    return _required(rules) if field.has_presence else True


def _required(rules: Any) -> bool:
    return bool(rules) and bool(rules.message.required or rules.any.required or rules.duration.required)


def _value_of(field: Any) -> Callable[[Any], Any]:
    """From a field's value to what its rules speak of: the number in a wrapper, the seconds of a duration."""
    kind = field.message_type.full_name if field.message_type else ""
    if kind in _WRAPPERS:
        return lambda wrapper: wrapper.value
    return _seconds if kind == _DURATION else lambda value: value


def _seconds(duration: Any) -> float:
    return float(duration.seconds + duration.nanos / 1e9)


def _test(rules: Any) -> Test | None:
    kind = rules.WhichOneof("type") if rules is not None else None
    match kind:
        case None | "repeated" | "map" | "message" | "any" | "bool" | "timestamp":
            return None
        case "string" | "bytes":
            return _text_test(getattr(rules, kind))
        case "enum":
            return _all_of(_membership(rules.enum))
        case "duration":
            return _all_of([*_bounds(rules.duration, _LIMITS, _seconds)])
        case _:
            of = getattr(rules, kind)
            return _all_of([*_bounds(of, _LIMITS, lambda bound: bound), *_membership(of)], ignore_empty=of.ignore_empty)


def _text_test(of: Any) -> Test | None:
    tests = [*_bounds(of, _LENGTHS, lambda bound: bound), *_membership(of)]
    if of.pattern:
        pattern = re.compile(of.pattern)
        tests.append(lambda value: None if pattern.search(value) else f"must match {of.pattern}")
    if of.DESCRIPTOR.name == "StringRules" and of.WhichOneof("well_known") == "well_known_regex":
        known = of.DESCRIPTOR.fields_by_name["well_known_regex"].enum_type.values_by_number[of.well_known_regex].name
        strict = of.strict or not of.HasField("strict")
        header = _HEADER.get(known) if strict else _LOOSE_HEADER
        if header:
            tests.append(lambda value: None if header.fullmatch(value) else "is not a valid header name or value")
    return _all_of(tests, ignore_empty=of.ignore_empty)


def _bounds(of: Any, table: tuple[Any, ...], read: Callable[[Any], Any]) -> Iterator[Test]:
    known = of.DESCRIPTOR.fields_by_name
    for name, words, holds in table:
        if name in known and known[name].has_presence and of.HasField(name):
            bound = read(getattr(of, name))
            yield lambda value, bound=bound, words=words, holds=holds: (  # type: ignore[misc]
                None if holds(value, bound) else f"must {words} {bound}, not {value!r}"
            )


def _membership(of: Any) -> list[Test]:
    tests: list[Test] = []
    allowed, forbidden = tuple(getattr(of, "in")), tuple(of.not_in)
    if allowed:
        tests.append(lambda value: None if value in allowed else f"must be one of {allowed}")
    if forbidden:
        tests.append(lambda value: f"must not be {value!r}" if value in forbidden else None)
    return tests


def _all_of(tests: list[Test], *, ignore_empty: bool = False) -> Test | None:
    """The first complaint of several tests; an empty value may be exempt."""
    if not tests:
        return None
    if len(tests) == 1 and not ignore_empty:
        return tests[0]

    def test(value: Any) -> str | None:
        if ignore_empty and not value:
            return None
        return next((wrong for one in tests if (wrong := one(value))), None)

    return test
