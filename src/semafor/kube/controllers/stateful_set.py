"""StatefulSet: pods with lasting names and storage, made and replaced in order. `stateful_plan` decides."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from semafor.base import clock
from semafor.kube.api.client import Client
from semafor.kube.api.errors import StatusError
from semafor.kube.controllers import ownership, revisions, stateful_plan, statuses
from semafor.kube.controllers.reconcile import Key, Watch, own, owner
from semafor.kube.controllers.stateful_plan import Step
from semafor.resources.apps.stateful_set import KIND
from semafor.resources.core.persistent_volume_claim import KIND as CLAIM
from semafor.resources.core.pod import KIND as POD

Doc = dict[str, Any]


class StatefulSets:
    """The controller. `now` is for tests."""

    def __init__(self, client: Client, now: Callable[[], datetime] = clock.now) -> None:
        self.watches: tuple[Watch, ...] = (Watch(KIND, own), Watch(POD, owner("StatefulSet")))
        self._client = client
        self._now = now

    async def reconcile(self, key: Key) -> float | None:
        found = self._client.get(KIND, *key)
        if found is None or ownership.leaving(found):
            return None
        update, known = await revisions.current(self._client, found)
        mine = await self._mine(found)
        name = update["metadata"]["name"]
        steps = tuple(stateful_plan.steps(found, mine, name, self._now()))
        failure = await self._taken(found, steps, update, known)
        mine = await self._mine(found)
        status = stateful_plan.status(found, mine, name, self._now())
        await statuses.replace(self._client, KIND, found, status)
        labels = (pod["metadata"].get("labels", {}).get(revisions.LABEL, "") for pod in mine)
        await revisions.forget(self._client, found, known, {*labels, name, status["currentRevision"]})
        if failure is not None:
            raise failure  # to be tried again, later and later
        return min((step.again_s for step in steps if step.again_s is not None), default=None)

    async def _mine(self, found: Doc) -> list[Doc]:
        claimed = await ownership.claim(self._client, POD, found)
        return [pod for pod in claimed if stateful_plan.ordinal(found, pod) is not None]

    async def _taken(self, found: Doc, steps: Sequence[Step], update: Doc, known: Sequence[Doc]) -> StatusError | None:
        """Take the steps; return what kept a pod from being made, after telling the user."""
        for step in steps:
            name = f"{found['metadata']['name']}-{step.ordinal}"
            try:
                if step.do == "make":
                    await self._make(found, step.ordinal, update, known)
                elif step.do == "delete":
                    await self._client.delete(POD, found["metadata"]["namespace"], name)
                    await self._note(found, "Normal", "SuccessfulDelete", f"delete Pod {name}")
            except StatusError as error:
                words = f"{step.do.replace('make', 'create')} Pod {name} in StatefulSet {found['metadata']['name']}"
                await self._client.event(
                    found,
                    "Warning",
                    "FailedCreate" if step.do == "make" else "FailedDelete",
                    f"{words} failed error: {error.message}",
                    source="statefulset-controller",
                )
                return error
        return None

    async def _make(self, found: Doc, at: int, update: Doc, known: Sequence[Doc]) -> None:
        current = found.get("status", {}).get("currentRevision")
        old = next((each for each in known if each["metadata"]["name"] == current), update)
        revision = old if stateful_plan.keeps_old(found, at) else update
        for claim in stateful_plan.new_claims(found, at):
            await self._claim(found, claim)
        template = revisions.template(revision)
        pod = await self._client.create(POD, stateful_plan.new_pod(found, at, template, revision["metadata"]["name"]))
        await self._note(found, "Normal", "SuccessfulCreate", f"create Pod {pod['metadata']['name']}")

    async def _claim(self, found: Doc, claim: Doc) -> None:
        metadata = claim["metadata"]
        if self._client.get(CLAIM, metadata["namespace"], metadata["name"]) is None:
            await self._client.create(CLAIM, claim)
            await self._note(found, "Normal", "SuccessfulCreate", f"create Claim {metadata['name']}")

    async def _note(self, found: Doc, type_: str, reason: str, what: str) -> None:
        message = f"{what} in StatefulSet {found['metadata']['name']} successful"
        await self._client.event(found, type_, reason, message, source="statefulset-controller")
