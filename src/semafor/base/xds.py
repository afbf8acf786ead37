"""What crosses from `envoy`, which renders it, to `xds`, which delivers it: named, versioned bytes.

Nothing here knows what the bytes mean. A resource is framed once, when it is rendered, and every response that
carries it, to any proxy, is a join of such frames.
Source: envoy/service/discovery/v3/discovery.proto (DeltaDiscoveryResponse, Resource).
"""

import hashlib
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from semafor.base.protobuf import delimited
from semafor.base.struct import Value

_TYPES = "type.googleapis.com/"
CLUSTER: Final = _TYPES + "envoy.config.cluster.v3.Cluster"
EXTENSION: Final = _TYPES + "envoy.config.core.v3.TypedExtensionConfig"
ENDPOINTS: Final = _TYPES + "envoy.config.endpoint.v3.ClusterLoadAssignment"
LISTENER: Final = _TYPES + "envoy.config.listener.v3.Listener"
ROUTES: Final = _TYPES + "envoy.config.route.v3.RouteConfiguration"
SECRET: Final = _TYPES + "envoy.extensions.transport_sockets.tls.v3.Secret"

_VERSION_BYTES = 8  # 64 bits: versions are only compared with others of the same name


class Resource(Value, cache_hash=True):
    """One rendered resource. `frame` is field 2 of a DeltaDiscoveryResponse, tag and length included.

    `is_empty`: whoever is sent here gets nothing, so a proxy that has more than this should not learn of it before it
    has learnt to go elsewhere.
    `needs`: types and names without which the proxy does not use it, and which it asks for when it has it.
    """

    type_url: str
    name: str
    version: str
    frame: bytes
    is_empty: bool = False
    needs: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        """Leave the bytes out: they may hold a private key."""
        return f"Resource({self.type_url.rpartition('.')[2]} {self.name!r} version={self.version} {len(self.frame)} B)"


class Resources:
    """Everything one proxy should have, by type and name. Immutable; equal parts are shared between proxies.

    A type that did not change keeps the very same mapping in the next Resources, which `xds` notices for free.
    """

    __slots__ = ("_by_type",)

    def __init__(self, by_type: Mapping[str, Mapping[str, Resource]]) -> None:
        self._by_type = MappingProxyType(dict(by_type))

    @classmethod
    def of(cls, resources: Iterable[Resource]) -> "Resources":
        by_type: dict[str, dict[str, Resource]] = {}
        for resource in resources:
            by_type.setdefault(resource.type_url, {})[resource.name] = resource
        return cls(by_type)

    @property
    def types(self) -> tuple[str, ...]:
        return tuple(self._by_type)

    def named(self, type_url: str) -> Mapping[str, Resource]:
        """The resources of one type by name; empty when there is none."""
        return self._by_type.get(type_url, _NONE)

    def joined(self, other: "Resources") -> "Resources":
        """Both together; where both have a name, the other's resource wins."""
        by_type = dict(self._by_type)
        for type_url in other.types:
            mine, theirs = by_type.get(type_url), other.named(type_url)
            by_type[type_url] = {**mine, **theirs} if mine else theirs
        return Resources(by_type)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Resources) and self._by_type == other._by_type

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        counts = ", ".join(f"{t.rpartition('.')[2]}: {len(n)}" for t, n in self._by_type.items())
        return f"Resources({counts})"


_NONE: Mapping[str, Resource] = MappingProxyType({})


def resource(
    type_url: str, name: str, body: bytes, *, is_empty: bool = False, needs: tuple[tuple[str, str], ...] = ()
) -> Resource:
    """Frame the serialized message `body`; its version is a digest of it, so equal bytes are never sent twice."""
    version = hashlib.blake2b(body, digest_size=_VERSION_BYTES).hexdigest()
    any_ = delimited(1, type_url.encode()) + delimited(2, body)
    framed = delimited(1, version.encode()) + delimited(2, any_) + delimited(3, name.encode())
    frame = delimited(2, framed)
    return Resource(type_url=type_url, name=name, version=version, frame=frame, is_empty=is_empty, needs=needs)
