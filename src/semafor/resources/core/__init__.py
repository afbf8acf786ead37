"""Kubernetes' core group. Documents in, defaults and field errors out; nothing is stored."""
