"""Every kind that Semafor knows, in the order in which discovery lists them. A new kind is one line here."""

from collections.abc import Mapping
from types import MappingProxyType

from semafor.resources.core import namespace
from semafor.resources.kind import Kind

KINDS: tuple[Kind, ...] = (namespace.KIND,)

_BY_KIND: Mapping[tuple[str, str], Kind] = MappingProxyType({(kind.group, kind.kind): kind for kind in KINDS})
_BY_PLURAL: Mapping[tuple[str, str], Kind] = MappingProxyType({(kind.group, kind.plural): kind for kind in KINDS})


def by_kind(group: str, kind: str) -> Kind | None:
    """The kind by its name in documents, such as ("apps", "Deployment")."""
    return _BY_KIND.get((group, kind))


def by_plural(group: str, plural: str) -> Kind | None:
    """The kind by its name in paths, such as ("apps", "deployments")."""
    return _BY_PLURAL.get((group, plural))
