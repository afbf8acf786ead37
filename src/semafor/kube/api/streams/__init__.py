"""Streams of pods: log, exec, attach and port-forward, in the dialects of kubectl and of client libraries.

In: requests for a pod's subresource, as HTTP, WebSocket or an upgrade to SPDY/3.1; a Node that has the pods. Out:
bytes both ways, with backpressure, half-close and exit codes. It never authenticates, never changes an object, and a
client that goes away kills nothing.

    routes      which request means what                upgrade   SPDY under uvicorn
    remote      a client and a process                  forward   a client and a port
    channels    v4 and v5 over WebSocket, no I/O        spdy      SPDY/3.1, no I/O; session: over asyncio
"""

from semafor.kube.api.streams.routes import routes
from semafor.kube.api.streams.target import FindPod
from semafor.kube.api.streams.upgrade import Protocol

__all__ = ["FindPod", "Protocol", "routes"]
