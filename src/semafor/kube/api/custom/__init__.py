"""Kinds that users define: a CustomResourceDefinition in, a Kind like all others out.

Its schema becomes a typed struct, so that checks, pruning, patches and ownership work as for built-in kinds. Rules
that a struct cannot hold (oneOf, CEL) are not checked. Pure.
"""

from semafor.kube.api.custom.kinds import Defined, defined, established

__all__ = ["Defined", "defined", "established"]
