"""The node: pods as isolated local processes, kept as the API says.

In: Pod objects bound to this node, images, ConfigMaps and Secrets. Out: processes in namespaces, the pods' status and
events, logs, cluster DNS. It never decides where a pod runs, never injects a sidecar, and leaves nothing on the host.

    kubelet ─▶ worker (one per pod) ─▶ lifecycle: what to do now (no I/O)
                     │
                     ▼
    runtime ─channel─▶ agent ─▶ zygote (the node) ─fork─▶ supervisor (a pod) ─▶ holder and programs (a container)

Everything right of the first channel runs in other processes, which are small, know neither asyncio nor the API, and
die with the daemon. Read `spec` for the values that pass between the two halves.
"""
