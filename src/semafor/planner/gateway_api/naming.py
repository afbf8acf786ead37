"""Names and labels of what is made for a Gateway. Source: GEP-1762."""

import hashlib
from typing import Final

NAME_LABEL: Final = "gateway.networking.k8s.io/gateway-name"
CLASS_LABEL: Final = "gateway.networking.k8s.io/gateway-class-name"
_LONGEST: Final = 63  # of labels, and of Services' names
_DIGITS: Final = 8


def short(text: str) -> str:
    """The text as a label or a Service's name may have it: one that does not fit ends in a digest instead."""
    if len(text) <= _LONGEST and "." not in text:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
    kept = text.replace(".", "-")[: _LONGEST - _DIGITS - 1].rstrip("-")
    return f"{kept}-{digest}"


def workload(gateway: str, class_name: str) -> str:
    """The name of the Deployment, the Service and the ServiceAccount."""
    return short(f"{gateway}-{class_name}")
