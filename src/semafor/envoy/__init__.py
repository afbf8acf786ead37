"""The plan of one proxy as Envoy's protobufs, and the bootstraps that Envoys start with.

In: a frozen `ir.Plan`. Out: `Resources`, serialized and framed, each part rendered once however many proxies share it.
It decides nothing: an `if` here about what the user meant is a mistake of the planner.
"""
