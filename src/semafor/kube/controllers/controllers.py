"""All controllers, in one list."""

import asyncio

from semafor.kube.api.client import Client
from semafor.kube.controllers import event_expiry, reconcile
from semafor.kube.controllers.aggregation import Aggregation
from semafor.kube.controllers.autoscaler import Autoscalers, Measure
from semafor.kube.controllers.certificates import Certificates, Sign
from semafor.kube.controllers.daemon_set import DaemonSets
from semafor.kube.controllers.deployment import Deployments
from semafor.kube.controllers.endpoint_slice import EndpointSlices
from semafor.kube.controllers.garbage import Garbage
from semafor.kube.controllers.job import Jobs
from semafor.kube.controllers.legacy_endpoints import LegacyEndpoints
from semafor.kube.controllers.namespace import Namespaces
from semafor.kube.controllers.replica_set import ReplicaSets
from semafor.kube.controllers.scheduler import Scheduler
from semafor.kube.controllers.stateful_set import StatefulSets


async def run(client: Client, *, node: str, root_certificate: str, sign: Sign, measure: Measure) -> None:
    """Run every controller, for ever.

    `node` names the one node, `root_certificate` is what pods trust the API by, `sign` signs clients' certificates,
    `measure` tells what pods use.
    """
    controllers: tuple[reconcile.Controller, ...] = (
        Namespaces(client, root_certificate),
        Scheduler(client, node),
        Deployments(client),
        ReplicaSets(client),
        StatefulSets(client),
        DaemonSets(client, node),
        Jobs(client),
        EndpointSlices(client, node),
        LegacyEndpoints(client),
        Aggregation(client),
        Certificates(client, sign),
        Autoscalers(client, measure),
    )
    async with asyncio.TaskGroup() as tasks:
        for controller in controllers:
            tasks.create_task(reconcile.run(controller, client), name=type(controller).__name__)
        tasks.create_task(Garbage(client).run(), name="Garbage")
        tasks.create_task(event_expiry.run(client), name="event expiry")
