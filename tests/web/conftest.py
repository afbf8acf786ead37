"""Envoy's schema, which the fake mesh's planner wants."""

from tests.app.conftest import pool

__all__ = ["pool"]
