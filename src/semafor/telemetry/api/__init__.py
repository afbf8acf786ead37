"""Prometheus's HTTP API, so that Grafana, Kiali and whatever else asks Prometheus may ask here.

An ASGI application. It works out nothing itself: queries run where `Backend.run` runs them (the store's own thread);
what targets and rules there are is told by functions. Paths, parameters, words and codes are Prometheus 2's. It asks
nobody who they are: whoever serves it does.
"""

from semafor.telemetry.api.app import application
from semafor.telemetry.api.backend import Backend, TargetView

__all__ = ["Backend", "TargetView", "application"]
