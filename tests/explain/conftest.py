"""Envoy's schema, for the matcher that `explain` is held against."""

from tests.golden.conftest import pool

__all__ = ["pool"]
