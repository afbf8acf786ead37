"""Semafor: a service mesh you can `pip install`.

The tree is the pipeline: kube.api -> kube.store -> resources -> planner -> ir -> envoy -> xds -> Envoy;
`app` is the only place where the parts meet. docs/architecture.md has the drawing.
"""

__version__ = "0.1.0"
