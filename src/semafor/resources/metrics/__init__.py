"""The group metrics.k8s.io: what pods and nodes use. Nothing is stored."""
