"""The mesh as each revision's mesh configuration has it: the same objects, planned by other options.

A proxy belongs to the revision that it was made by. One whose revision is gone is planned as the others are.
"""

import dataclasses
from collections.abc import Mapping

from msgspec.structs import replace

from semafor.planner import Mesh, Options
from semafor.planner.memo import Memo


class Views:
    """The revisions that have a name."""

    def __init__(self) -> None:
        self._options: dict[str, Options] = {}
        self._last: dict[str, Mesh] = {}

    def take(self, revision: str, options: Options | None) -> bool:
        """The revision's options as they are now, None when it is gone; whether that is news."""
        if self._options.get(revision) == options:
            return False
        self._last.pop(revision, None)
        if options is None:
            del self._options[revision]
        else:
            self._options[revision] = options
        return True

    def of(self, mesh: Mesh) -> Mapping[str, Mesh]:
        """The mesh of each revision. What was worked out for the last one is used again where it still holds."""
        for revision, options in self._options.items():
            last = self._last.get(revision)
            memo = Memo(last.memo) if last else Memo()
            self._last[revision] = dataclasses.replace(mesh, options=_shared(options, mesh.options), memo=memo)
        return self._last


def _shared(own: Options, all_: Options) -> Options:
    """The revision's options, with those that everybody has to agree on."""
    return replace(
        own,
        trust_domain=all_.trust_domain,
        trust_domain_aliases=all_.trust_domain_aliases,
        root_namespace=all_.root_namespace,
        system_roots=all_.system_roots,
        allocated_network=all_.allocated_network,
    )
