"""Kubernetes' group autoscaling. Documents in, defaults and field errors out; nothing is stored."""
