"""Kubernetes' core group. Documents in, documents with defaults and field errors out; nothing is stored."""
