"""Kubernetes' group apps. Documents in, defaults and field errors out; nothing is stored."""
