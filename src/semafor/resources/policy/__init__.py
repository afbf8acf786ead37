"""Kubernetes' group policy. Documents in, defaults and field errors out; nothing is stored."""
