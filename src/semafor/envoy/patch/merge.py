"""Merging protobufs as Istio does: lists grow, maps replace by key, messages merge field by field.

Source: Istio's pkg/proto/merge.
"""

from typing import Any, Final

from google.protobuf.json_format import ParseError
from google.protobuf.message import DecodeError

from semafor.envoy.pool import Pool

_ANY: Final = "google.protobuf.Any"
_STRUCTS: Final = ("udpa.type.v1.TypedStruct", "xds.type.v3.TypedStruct")
# Values that stand for one thing although they are messages: to merge them would mix seconds of one with
# nanoseconds of another, and could never set a flag to false.
# Differs from Istio: there only a Duration is replaced, so that `false`, `0` and "" in a wrapper change nothing.
_WHOLE: Final = frozenset(
    f"google.protobuf.{name}"
    for name in ("Duration", "Timestamp", *(f"{kind}Value" for kind in ("Bool", "Bytes", "Double", "Float")))
) | frozenset(f"google.protobuf.{kind}Value" for kind in ("Int32", "Int64", "String", "UInt32", "UInt64"))


def merge(into: Any, value: Any, *, replace_lists: bool = False) -> None:
    """Merge `value` into the message `into`, which is changed; `replace_lists` replaces lists that `value` has."""
    for field, content in value.ListFields():
        name, mine = field.name, getattr(into, field.name)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            _merge_map(mine, content, nested=field.message_type.fields_by_name["value"].message_type is not None)
        elif field.is_repeated:
            if replace_lists:
                del mine[:]
            mine.extend(content)
        elif field.message_type is None:
            setattr(into, name, content)
        elif field.message_type.full_name in _WHOLE or field.message_type.full_name == _ANY:
            mine.CopyFrom(content)
        else:
            mine.SetInParent()
            merge(mine, content, replace_lists=replace_lists)


def _merge_map(into: Any, value: Any, *, nested: bool) -> None:
    for key in value:
        if nested:
            into[key].CopyFrom(value[key])
        else:
            into[key] = value[key]


def merge_extension(pool: Pool, into: Any, value: Any, *, replace_lists: bool = False) -> bool:
    """Merge one filter or transport socket into another: its name, and what its `typed_config` holds.

    False, and nothing is changed, when the two are of different types: a patch that names no filter is about those of
    its own type. Differs from Istio: there the bytes are read as if they were of the other type.
    """
    held, given = into.HasField("typed_config"), value.HasField("typed_config")
    if held and given:
        inner = pool.message(_type(into.typed_config)).FromString(into.typed_config.value)
        change = _of_type(pool, value.typed_config, _type(into.typed_config))
        if change is None:
            return False
        merge(inner, change, replace_lists=replace_lists)
        into.typed_config.value = inner.SerializeToString(deterministic=True)
    elif given:
        into.typed_config.CopyFrom(value.typed_config)
    if value.name:
        into.name = value.name
    return True


def _type(any_: Any) -> str:
    return str(any_.type_url.rpartition("/")[2])


def _of_type(pool: Pool, any_: Any, wanted: str) -> Any:
    """What an Any holds, be it as a struct that names its type; None when it is of another type."""
    try:
        held = pool.message(_type(any_)).FromString(any_.value)
        if _type(any_) == wanted:
            return held
        if _type(any_) in _STRUCTS and _type(held) == wanted:
            return pool.parse(wanted, pool.document(held.value), lenient=True)
    except (DecodeError, KeyError, ParseError):
        return None
    return None
