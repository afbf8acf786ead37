"""Writing a pod's status to the API: the newest one, when it differs, while the pod goes on."""

import asyncio
import logging
from typing import Any

from semafor.base.aio import Latest
from semafor.kube.api.errors import StatusError
from semafor.kube.node.roles import Api
from semafor.resources.core import pod as pods

Json = dict[str, Any]

RETRY_S = 1.0
log = logging.getLogger(__name__)


class Publisher:
    """One pod's status on its way to the API. Statuses that come while one is being written are written as one."""

    def __init__(self, api: Api, pod: Json) -> None:
        self._api = api
        self._meta = pod["metadata"]
        self._status: Latest[Json] = Latest({})

    def put(self, status: Json) -> None:
        self._status.set(status)

    async def run(self) -> None:
        """Write for ever; a refused write is tried again."""
        version = 0
        while True:
            newest, _ = await self._status.newer_than(version)
            try:
                await self.write()
                version = newest
            except StatusError as error:
                log.warning("status of pod %s/%s: %s", self._meta["namespace"], self._meta["name"], error)
                await asyncio.sleep(RETRY_S)

    async def write(self) -> None:
        """Write the newest status now. Raises StatusError; a pod that is gone needs none.

        A merge patch keeps what it does not name, so what has gone is named with null.
        """
        namespace, name, status = self._meta["namespace"], self._meta["name"], self._status.value
        stored = self._api.get(pods.KIND, namespace, name)
        if stored is None or stored["metadata"]["uid"] != self._meta["uid"]:
            return
        gone = {key: None for key in stored.get("status") or {} if key not in status}
        try:
            await self._api.patch(pods.KIND, namespace, name, {"status": {**gone, **status}}, subresource="status")
        except StatusError as error:
            if error.reason != "NotFound":
                raise
