"""Secrets: RESOURCE NAME, TYPE, STATUS, VALID CERT, SERIAL NUMBER, NOT AFTER, NOT BEFORE. Keys are never shown."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from semafor.app.envoy_tables.documents import Documents
from semafor.ca import inspect

Doc = dict[str, Any]
HEADER = ("RESOURCE NAME", "TYPE", "STATUS", "VALID CERT", "SERIAL NUMBER", "NOT AFTER", "NOT BEFORE")
_STATES = (("dynamic_active_secrets", "ACTIVE"), ("dynamic_warming_secrets", "WARMING"), ("static_secrets", "STATIC"))
_FORM = "%Y-%m-%dT%H:%M:%SZ"


def chosen(envoy: Documents, options: Doc) -> list[Doc]:
    """The secrets by name, each with its state."""
    found = ({"state": state, **each} for part, state in _STATES for each in envoy.secrets.get(part, ()))
    return [each for each in found if options.get("name") in (None, each["name"])]


def rows(_: Documents, found: list[Doc]) -> list[tuple[str, ...]]:
    return [row for each in found for row in _rows(each)]


def _rows(secret: Doc) -> Iterator[tuple[str, ...]]:
    kind, pem = _content(secret.get("secret", {}))
    try:
        certificates = inspect.read(pem)
    except ValueError:
        yield (secret["name"], kind, secret["state"], "false", "", "", "")
        return
    for each in certificates:
        valid = str(each.not_before <= datetime.now(UTC) <= each.not_after).lower()
        times = (each.not_after.strftime(_FORM), each.not_before.strftime(_FORM))
        yield (secret["name"], kind, secret["state"], valid, each.serial, *times)


def _content(secret: Doc) -> tuple[str, bytes]:
    """Its type in istioctl's word, and its certificates."""
    if "tls_certificate" in secret:
        return "Cert Chain", _bytes(secret["tls_certificate"].get("certificate_chain", {}))
    if "validation_context" in secret:
        return "CA", _bytes(secret["validation_context"].get("trusted_ca", {}))
    return "Unknown", b""


def _bytes(source: Doc) -> bytes:
    if "inline_string" in source:
        return str(source["inline_string"]).encode()
    return base64.b64decode(source.get("inline_bytes", ""))
