"""Who signs in a cluster: the Secret `cacerts` where somebody plugged an authority in, else a root of our own.

The own root is made by whichever replica is first: the API server lets only one of them create the Secret.
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from semafor.app.refused import Refused
from semafor.base.status_error import StatusError
from semafor.ca import plugged
from semafor.ca.authority import Authority
from semafor.ca.plugged import PluggedError
from semafor.cluster.client import Client
from semafor.resources.core import secret

Doc = dict[str, Any]
PLUGGED: Final = "cacerts"
OWN: Final = "istio-ca-secret"  # Istio's name
_CONFLICT: Final = 409


async def open_(client: Client, namespace: str, trust_domain: str, *, now: datetime) -> Authority:
    """The authority that all replicas share. Raises Refused when there is one that cannot sign."""
    for name in (PLUGGED, OWN):
        if found := await client.read(secret.KIND, namespace, name):
            return _read(found, now)
    made = Authority.new(now=now, trust_domain=trust_domain)
    try:
        await client.create(secret.KIND, _document(made, namespace))
    except StatusError as error:
        if error.code != _CONFLICT:
            raise
        found = await client.read(secret.KIND, namespace, OWN)  # another replica was first
        return _read(found or {}, now)
    return made


def _document(made: Authority, namespace: str) -> Doc:
    data = {name: base64.b64encode(pem).decode() for name, pem in plugged.files(made).items()}
    return {"metadata": {"name": OWN, "namespace": namespace}, "type": "istio.io/ca-root", "data": data}


def _read(found: Doc, now: datetime) -> Authority:
    name = (found.get("metadata") or {}).get("name", OWN)
    try:
        return plugged.read(_files(found), now=now)
    except PluggedError as error:
        raise Refused(f"Secret {name}: {error}", "mend it, or delete it and a new root is made") from error


def _files(found: Doc) -> Mapping[str, bytes]:
    try:
        return {name: base64.b64decode(text) for name, text in (found.get("data") or {}).items()}
    except binascii.Error as error:
        raise PluggedError(f"data: {error}") from None
