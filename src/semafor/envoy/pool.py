"""Message classes of Envoy's API from a pool of their own, which clashes with no other protobuf package.

A message of this pool cannot be mixed with one of the default pool: take every class from the same `Pool`.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

from google.protobuf import descriptor_pool, json_format, message_factory

from semafor.base import xds


class Pool:
    """Envoy's schema, ready for use. `pool("envoy.config.cluster.v3.Cluster")` is a message class.

    Message classes are made at run time from descriptors, so their type is Any; names are checked when they are used.
    """

    def __init__(self, files: Iterable[bytes]) -> None:
        self._pool = descriptor_pool.DescriptorPool()
        for file in files:
            self._pool.AddSerializedFile(file)
        self.message = cache(self._message)
        self.empty = cache(self._empty)

    def __call__(self, name: str, /, **fields: Any) -> Any:
        """A new message of the type `name` with the given fields. Raises KeyError for an unknown type."""
        return self.message(name)(**fields)

    def _message(self, name: str) -> Any:
        return message_factory.GetMessageClass(self._pool.FindMessageTypeByName(name))

    def any(self, message: Any) -> Any:
        """`message` in a google.protobuf.Any, as `typed_config` wants it."""
        return self(
            "google.protobuf.Any", type_url=type_url(message), value=message.SerializeToString(deterministic=True)
        )

    def _empty(self, name: str) -> Any:
        """A message of the type without a field, in a google.protobuf.Any. It is shared: never change it."""
        return self.any(self(name))

    def parse(self, name: str, document: dict[str, Any], *, lenient: bool = False) -> Any:
        """The message that a JSON document means (`@type` for an Any). Raises json_format.ParseError.

        `lenient` passes over fields that the type does not have.
        """
        message = self.message(name)()
        return json_format.ParseDict(document, message, ignore_unknown_fields=lenient, descriptor_pool=self._pool)

    def document(self, message: Any) -> dict[str, Any]:
        """The message as JSON, with the proto's own field names, as Envoy's documentation writes them."""
        return json_format.MessageToDict(message, preserving_proto_field_name=True, descriptor_pool=self._pool)

    def extension(self, name: str) -> Any:
        """The descriptor of a custom option such as `validate.rules`."""
        return self._pool.FindExtensionByName(name)


def type_url(message: Any) -> str:
    return f"type.googleapis.com/{message.DESCRIPTOR.full_name}"


def resource(
    name: str, message: Any, *, is_empty: bool = False, needs: tuple[tuple[str, str], ...] = ()
) -> xds.Resource:
    """Serialize and frame one resource."""
    body = message.SerializeToString(deterministic=True)
    return xds.resource(type_url(message), name, body, is_empty=is_empty, needs=needs)
