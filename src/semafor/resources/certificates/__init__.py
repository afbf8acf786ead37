"""Kubernetes' group certificates.k8s.io. Documents in, defaults and field errors out; nothing is stored."""
