"""The outbound half of a sidecar: listeners, route tables and clusters for what its workloads call."""
