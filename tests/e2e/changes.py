"""Random changes of a service's rules and pods, none of which asks for a request to fail."""

import random
from collections.abc import Callable
from typing import Any

Doc = dict[str, Any]
Change = tuple[str, Doc | None]  # a path of the API, and the object there, or what is merged into it; None deletes it

_ISTIO = "networking.istio.io/v1"
_BALANCERS = ("ROUND_ROBIN", "LEAST_REQUEST", "RANDOM")


class Changes:
    """The next change, again and again, out of the numbers of `rng`."""

    def __init__(self, rng: random.Random, namespace: str) -> None:
        self._rng = rng
        self._namespace = namespace

    def next(self) -> Change:
        makers: tuple[tuple[int, Callable[[], Change]], ...] = (
            (5, self._shares),
            (3, self._testers),
            (5, self._rule),
            (4, self._scale),
            (1, lambda: (self._path("virtualservices", "echo"), None)),
            (1, lambda: (self._path("virtualservices", "testers"), None)),
            (1, lambda: (self._path("destinationrules", "echo"), None)),
        )
        [maker] = self._rng.choices([maker for _, maker in makers], [weight for weight, _ in makers])
        return maker()

    def _path(self, plural: str, name: str) -> str:
        return f"/apis/{_ISTIO}/namespaces/{self._namespace}/{plural}/{name}"

    def _object(self, kind: str, name: str, spec: Doc) -> Doc:
        return {"apiVersion": _ISTIO, "kind": kind, "metadata": {"name": name}, "spec": spec}

    def _shares(self) -> Change:
        """Everything to one version or to both, with or without a time-out and retries."""
        share = self._rng.choice((0, 10, 50, 90, 100))
        route: Doc = {"route": [_to("v1", 100 - share), _to("v2", share)]}
        if self._rng.random() < 0.4:
            route["timeout"] = f"{self._rng.randint(5, 20)}s"
        if self._rng.random() < 0.3:
            route["retries"] = {"attempts": 3, "retryOn": "connect-failure,refused-stream,503"}
        return self._path("virtualservices", "echo"), self._object(
            "VirtualService", "echo", {"hosts": ["echo"], "http": [route]}
        )

    def _testers(self) -> Change:
        """A few requests elsewhere, in a VirtualService of their own."""
        match = self._rng.choice(({"headers": {"x-tester": {"exact": "yes"}}}, {"uri": {"prefix": "/beta"}}))
        routes = [{"match": [match], "rewrite": {"uri": "/"}, "route": [_to("v2", 100)]}]
        return self._path("virtualservices", "testers"), self._object(
            "VirtualService", "testers", {"hosts": ["echo"], "http": routes}
        )

    def _rule(self) -> Change:
        """Both subsets or one, balanced in some way, with or without limits that nobody reaches."""
        versions = self._rng.choice((("v1", "v2"), ("v1", "v2"), ("v1",)))
        policy: Doc = {"loadBalancer": {"simple": self._rng.choice(_BALANCERS)}}
        if self._rng.random() < 0.3:
            policy = {"loadBalancer": {"consistentHash": {"httpHeaderName": "x-user"}}}
        if self._rng.random() < 0.4:
            policy["connectionPool"] = {"http": {"http1MaxPendingRequests": 1000, "http2MaxRequests": 1000}}
        if self._rng.random() < 0.4:
            policy["outlierDetection"] = {"consecutive5xxErrors": 50, "interval": "5s", "baseEjectionTime": "5s"}
        subsets = [{"name": version, "labels": {"version": version}} for version in versions]
        return self._path("destinationrules", "echo"), self._object(
            "DestinationRule", "echo", {"host": "echo", "trafficPolicy": policy, "subsets": subsets}
        )

    def _scale(self) -> Change:
        """More or fewer pods of a version; one of the first version stays."""
        version, replicas = self._rng.choice((("v1", (1, 2, 3)), ("v2", (0, 1, 2, 3))))
        path = f"/apis/apps/v1/namespaces/{self._namespace}/deployments/echo-{version}"
        return path, {"spec": {"replicas": self._rng.choice(replicas)}}


def _to(version: str, weight: int) -> Doc:
    return {"destination": {"host": "echo", "subset": version}, "weight": weight}
