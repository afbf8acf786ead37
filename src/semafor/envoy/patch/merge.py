"""Merging protobufs as Istio does: lists grow, maps replace by key, messages merge field by field.

Source: Istio's pkg/proto/merge.
"""

from typing import Any, Final

from google.protobuf.message import DecodeError

from semafor.envoy.pool import Pool

_ANY: Final = "google.protobuf.Any"
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


def merge_any(pool: Pool, into: Any, value: Any, *, replace_lists: bool = False) -> None:
    """Merge what an Any holds into what another holds.

    The other's type counts: a patch that names an older type of the same shape still works. One of another shape
    changes nothing, as in Istio.
    """
    type_ = pool.message(into.type_url.rpartition("/")[2])
    try:
        inner, change = type_.FromString(into.value), type_.FromString(value.value)
    except DecodeError:
        return
    merge(inner, change, replace_lists=replace_lists)
    into.value = inner.SerializeToString(deterministic=True)


def merge_extension(pool: Pool, into: Any, value: Any, *, replace_lists: bool = False) -> None:
    """Merge one filter or transport socket into another: its name, and what its `typed_config` holds."""
    if value.name:
        into.name = value.name
    if not value.HasField("typed_config"):
        return
    if into.HasField("typed_config"):
        merge_any(pool, into.typed_config, value.typed_config, replace_lists=replace_lists)
    else:
        into.typed_config.CopyFrom(value.typed_config)
