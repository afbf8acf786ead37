"""The memory of the one-machine Kubernetes: versioned JSON documents, durable in SQLite, read in memory, watchable.

In: documents under (resource, namespace, name). Out: snapshots, and every change exactly once, in order.
It never looks inside a document beyond `metadata.namespace`, `.name` and `.resourceVersion`: the rules about objects
belong to `kube.api`.

    write ─▶ head (checked against what is accepted) ─▶ disk (one thread, group commit) ─▶ snapshot, log ─▶ watches
"""

from semafor.kube.store.errors import Conflict, Exists, Expired, Missing, StoreError, Unwritable
from semafor.kube.store.log import Event, Watch
from semafor.kube.store.store import Store

__all__ = ["Conflict", "Event", "Exists", "Expired", "Missing", "Store", "StoreError", "Unwritable", "Watch"]
