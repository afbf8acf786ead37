"""Istio's names of the secrets that the plan's TLS settings refer to."""

from typing import Final

IDENTITY: Final = "default"
TRUST: Final = "ROOTCA"
