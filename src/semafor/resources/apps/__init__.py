"""Kubernetes' group apps. Documents in, documents with defaults and field errors out; nothing is stored."""
