"""Kubernetes' group batch. Documents in, defaults and field errors out; nothing is stored."""
