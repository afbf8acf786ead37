"""The kinds that are served now: those of the table, and those that CustomResourceDefinitions add."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from semafor.kube.api import custom
from semafor.kube.store import Store
from semafor.resources.kind import Kind

Doc = dict[str, Any]
_log = logging.getLogger(__name__)

DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"


class Catalog:
    """Looks at the definitions in the store when they have changed. A kind of the table is never redefined."""

    def __init__(self, fixed: Sequence[Kind], store: Store) -> None:
        self._fixed = tuple(fixed)
        self._store = store
        self._version = -1
        self._kinds = self._fixed
        self._by_plural: dict[tuple[str, str], Kind] = {}
        self._schemas: dict[tuple[str, str], Doc] = {}

    @property
    def version(self) -> int:
        """Changes when the kinds do."""
        self._refresh()
        return self._version

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """All of them, those of the table first."""
        self._refresh()
        return self._kinds

    @property
    def schemas(self) -> Mapping[tuple[str, str], Doc]:
        """The users' own schemas, by resource and version."""
        self._refresh()
        return self._schemas

    def by_plural(self, group: str, plural: str) -> Kind | None:
        """The kind behind a path."""
        self._refresh()
        return self._by_plural.get((group, plural))

    def _refresh(self) -> None:
        version = self._store.changed(DEFINITIONS)
        if version == self._version:
            return
        taken = {kind.resource for kind in self._fixed}
        others = [crd for crd in self._store.list(DEFINITIONS)[0] if crd["metadata"]["name"] not in taken]
        added = [item for item in map(_defined, others) if item is not None]
        self._kinds = (*self._fixed, *(item.kind for item in added))
        self._by_plural = {(kind.group, kind.plural): kind for kind in self._kinds}
        self._schemas = {(item.kind.resource, name): schema for item in added for name, schema in item.schemas.items()}
        self._version = version


def _defined(crd: Doc) -> custom.Defined | None:
    try:
        return custom.defined(crd)
    except (KeyError, TypeError, ValueError):
        _log.warning("CustomResourceDefinition %s cannot be served", crd["metadata"]["name"], exc_info=True)
        return None
