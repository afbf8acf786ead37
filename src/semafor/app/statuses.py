"""Writes the status of rules whenever it says something new. `status.py` decides what it says."""

import asyncio
import contextlib
import logging
from typing import Any, NamedTuple

from semafor.app import status
from semafor.app.inbox import reference
from semafor.app.liveness import Count
from semafor.app.objects import Client
from semafor.app.pipeline import Pipeline
from semafor.base import clock
from semafor.base.problem import ObjectRef, Problem
from semafor.base.status_error import StatusError
from semafor.planner.tables import TABLES
from semafor.resources.istio import service_entry
from semafor.resources.kind import Kind

Doc = dict[str, Any]
log = logging.getLogger(__name__)

# The Gateway API's kinds have statuses of another form, which `gateway_api.statuses` writes.
KINDS: tuple[Kind, ...] = tuple(table.kind for table in TABLES if table.is_rule and table.says_live)
_QUIET_S = 0.01  # acknowledgements that come together make one write
_LONGEST_UNTOLD_S = 1.0
_NUMBERS_S = 3.0  # every pod that comes changes the number in the status of every rule, which nobody waits for


async def run(pipeline: Pipeline, client: Client) -> None:
    """Keep the status of every rule up to date, for ever."""
    statuses = Statuses(pipeline, client)
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_NUMBERS_S if statuses.late else None):
                await pipeline.feedback.told.wait()
        await asyncio.sleep(_QUIET_S)
        pipeline.feedback.told.clear()
        try:
            await statuses.write()
        except Exception:
            log.exception("statuses could not be written")
            await asyncio.sleep(_LONGEST_UNTOLD_S)
            pipeline.feedback.told.set()


class _Basis(NamedTuple):
    """What a status was made of."""

    version: str
    generation: int
    live: Count
    problems: tuple[Problem, ...]
    addresses: tuple[tuple[str, str], ...]  # that the mesh has given to hosts of a ServiceEntry


class Statuses:
    """`late`: some statuses are right but for their numbers, which are written together, now and then."""

    def __init__(self, pipeline: Pipeline, client: Client) -> None:
        self.late = False
        self._pipeline = pipeline
        self._client = client
        self._right: dict[ObjectRef, _Basis] = {}
        self._numbers_at = 0.0

    async def write(self) -> None:
        """Write every status that says something new."""
        moment = asyncio.get_running_loop().time()
        numbers = moment >= self._numbers_at + _NUMBERS_S
        if numbers:
            self._numbers_at = moment
        self.late = False
        before, self._right = self._right, {}
        problems = self._pipeline.problems()
        for kind in KINDS:
            for obj in self._client.list(kind):
                ref = reference(kind, obj)
                if self._pipeline.feedback.is_planned(ref):
                    basis = self._basis(ref, obj, problems.get(ref, ()))
                    if before.get(ref) == basis or await self._bring_up_to_date(kind, obj, basis, numbers=numbers):
                        self._right[ref] = basis

    def _basis(self, ref: ObjectRef, obj: Doc, problems: tuple[Problem, ...]) -> _Basis:
        generation, count = self._pipeline.planned_generation(ref), self._pipeline.feedback.count(ref)
        return _Basis(obj["metadata"]["resourceVersion"], generation, count, problems, self._pipeline.allocated(ref))

    async def _bring_up_to_date(self, kind: Kind, obj: Doc, basis: _Basis, *, numbers: bool) -> bool:
        """Write the status if it says something new; whether it was right already."""
        metadata, old = obj["metadata"], obj.get("status") or {}
        now = clock.stamp(clock.now())
        fresh = status.status(old, basis.generation, basis.live, basis.problems, now)
        if kind is service_entry.KIND:
            fresh = status.with_addresses(fresh, basis.addresses)
        if fresh == old:
            return True
        if not numbers and status.differs_in_numbers(old, fresh):
            self.late = True
            return False
        patch = {"status": fresh | dict.fromkeys(old.keys() - fresh.keys())}
        try:
            await self._client.patch(kind, metadata["namespace"], metadata["name"], patch, subresource="status")
        except StatusError as error:
            log.debug("status of %s %s: %s", kind.kind, metadata["name"], error)  # changed meanwhile; its watch tells
        return False
