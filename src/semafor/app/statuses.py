"""Writes the status of rules whenever it says something new. `status.py` decides what it says."""

import asyncio
import logging

from semafor.app import status
from semafor.app.inbox import reference
from semafor.app.pipeline import Pipeline
from semafor.base import clock
from semafor.kube.api.client import Client
from semafor.kube.api.errors import StatusError
from semafor.planner.mesh import TABLES

log = logging.getLogger(__name__)

_SAY_LIVE = tuple(table.kind for table in TABLES if table.is_rule and table.says_live)
_QUIET_S = 0.01  # acknowledgements that come together make one write
_LONGEST_UNTOLD_S = 1.0


async def run(pipeline: Pipeline, client: Client) -> None:
    """Keep the status of every rule up to date, for ever."""
    while True:
        await pipeline.feedback.told.wait()
        await asyncio.sleep(_QUIET_S)
        pipeline.feedback.told.clear()
        try:
            await _write(pipeline, client)
        except Exception:
            log.exception("statuses could not be written")
            await asyncio.sleep(_LONGEST_UNTOLD_S)
            pipeline.feedback.told.set()


async def _write(pipeline: Pipeline, client: Client) -> None:
    problems = pipeline.problems()
    now = clock.stamp(clock.now())
    for kind in _SAY_LIVE:
        for obj in client.list(kind):
            metadata, ref = obj["metadata"], reference(kind, obj)
            if not pipeline.feedback.is_planned(ref):
                continue  # not planned yet
            old = obj.get("status") or {}
            generation = pipeline.planned_generation(ref)
            fresh = status.status(old, generation, pipeline.feedback.count(ref), problems.get(ref, ()), now)
            if fresh == old:
                continue
            patch = {"status": fresh | dict.fromkeys(old.keys() - fresh.keys())}
            try:
                await client.patch(kind, metadata["namespace"], metadata["name"], patch, subresource="status")
            except StatusError as error:
                log.debug("status of %s: %s", ref, error)  # gone or changed meanwhile; its watch brings it back
