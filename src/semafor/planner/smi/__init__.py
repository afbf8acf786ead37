"""SMI's kinds in the planner's own terms: TrafficSplits as VirtualServices, TrafficTargets as authorization.

    specs   HTTPRouteGroup, TCPRoute: names for kinds of traffic, which the others refer to
    split   TrafficSplit + groups ─▶ VirtualService
    access  TrafficTarget + groups + routes ─▶ ir.Guard of a workload

Source: the Service Mesh Interface, v1alpha1 to v1alpha4. What it leaves open is written down in docs/smi.md.
"""
