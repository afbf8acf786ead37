"""Kubernetes' core group: fields, defaults and rules of its kinds. Documents in, documents and field errors out; never stores."""
