"""The mesh in a real Kubernetes: the control plane as a process of its own, and the agent beside each Envoy.

controlplane   what `semafor.app.daemon` is on one machine: the wiring
authority      who signs: Secrets of the cluster
doorkeeper     which pod's proxy it is that connects, and what it starts with
agent          in the proxy's container: keys, certificates, Envoy, the end
"""
