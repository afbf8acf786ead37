"""Has cert-manager sign an intermediate: a CertificateRequest, and what its status says.

Source: cert-manager's API reference, `cert-manager.io/v1` CertificateRequest.
"""

import asyncio
import base64
import secrets
from typing import Any, Final

from semafor.app.objects import Client
from semafor.app.upstream.settings import CertManager
from semafor.base.status_error import StatusError
from semafor.ca import intermediate
from semafor.ca.intermediate import Asked
from semafor.ca.plugged import PluggedError
from semafor.resources.kind import Kind

Doc = dict[str, Any]
SOURCE: Final = "cert-manager"
_GROUP, _KIND = "cert-manager.io", "CertificateRequest"
_USAGES: Final = ["cert sign", "crl sign"]
_FINAL: Final = ("Ready", "Denied", "InvalidRequest")


async def sign(client: Client, settings: CertManager, asked: Asked) -> tuple[list[bytes], list[bytes]]:
    """The chain and the root, as DER. Raises PluggedError, with cert-manager's own words; waits as long as it takes."""
    kind = next((each for each in client.kinds if (each.group, each.kind) == (_GROUP, _KIND)), None)
    if kind is None:
        raise PluggedError("there is no CertificateRequest in this cluster: install cert-manager")
    name = f"semafor-{secrets.token_hex(4)}"
    try:
        await client.create(kind, _document(settings, asked, name))
        status = await _final(client, kind, settings.namespace, name)
        await client.delete(kind, settings.namespace, name)  # cert-manager keeps them for ever
    except StatusError as error:
        raise PluggedError(f"CertificateRequest {settings.namespace}/{name}: {error}") from error
    chain = intermediate.ders(base64.b64decode(status["certificate"]))
    if not status.get("ca"):
        raise PluggedError(f"issuer {settings.name} does not say its root (status.ca): take one that does, such as CA")
    return chain, intermediate.ders(base64.b64decode(status["ca"]))


def _document(settings: CertManager, asked: Asked, name: str) -> Doc:
    spec = {
        "request": base64.b64encode(asked.pem).decode(),
        "isCA": True,
        "usages": _USAGES,
        "duration": f"{settings.lifetime_s:.0f}s",
        "issuerRef": {"name": settings.name, "kind": settings.kind, "group": settings.group},
    }
    metadata = {"name": name, "namespace": settings.namespace}
    return {"apiVersion": f"{_GROUP}/v1", "kind": _KIND, "metadata": metadata, "spec": spec}


async def _final(client: Client, kind: Kind, namespace: str, name: str) -> Doc:
    async for change, obj in client.watch(kind, namespace):
        if obj["metadata"]["name"] != name:
            continue
        if change == "DELETED":
            raise PluggedError(f"CertificateRequest {namespace}/{name} was deleted by somebody else")
        status = obj.get("status") or {}
        conditions = {each["type"]: each for each in status.get("conditions") or ()}
        for type_ in _FINAL:
            found = conditions.get(type_, {})
            if type_ == "Ready" and found.get("status") == "True" and status.get("certificate"):
                return dict(status)
            if (type_ != "Ready" and found.get("status") == "True") or found.get("reason") == "Failed":
                words = found.get("message") or found.get("reason")
                raise PluggedError(f"CertificateRequest {namespace}/{name}: {type_}: {words}")
    raise asyncio.CancelledError  # a watch has no end of its own
