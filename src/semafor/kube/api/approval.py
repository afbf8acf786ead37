"""Who may decide on certificate requests, and what a decision may change.

Source: Kubernetes' "Certificate Signing Requests", authorization; its admission plugins CertificateApproval,
CertificateSigning and CertificateSubjectRestriction.
"""

from collections.abc import Callable
from typing import Any, Final

from semafor.kube.api import errors, rbac
from semafor.kube.api.call import Call
from semafor.kube.api.options import ADMINS, AdmissionRequest, Admitted, User
from semafor.resources.certificates import certificate_signing_request as requests

Doc = dict[str, Any]

# Differs from Kubernetes: who writes the status has to be allowed to approve, too, since it holds the decision.
_NEEDED: Final = {"approval": ("approve",), "status": ("sign", "approve")}


def require(about: Call, old: Doc, objects: rbac.Objects) -> None:
    """Raises StatusError 403 unless the user may decide for the request's signer."""
    signer = old["spec"]["signerName"]
    for verb in _NEEDED.get(about.subresource, ()):
        names = (signer, f"{signer.partition('/')[0]}/*")
        if not any(_may(about.user, verb, name, objects) for name in names):
            why = f"user not permitted to {verb} requests with signerName {signer!r}".replace("'", '"')
            raise errors.forbidden(about.kind, about.name, why)


def decided(old: Doc, wanted: Doc) -> Doc:
    """The request with the decision of another version of it, and nothing else of that."""
    conditions = (wanted.get("status") or {}).get("conditions") or []
    status = {**(old.get("status") or {}), "conditions": conditions}
    return {**old, "metadata": wanted.get("metadata") or {}, "status": status}


def _may(user: User, verb: str, signer: str, objects: rbac.Objects) -> bool:
    wanted = rbac.Attributes(verb=verb, group=requests.GROUP, resource="signers", name=signer)
    return rbac.decide(user, wanted, objects).allowed


class Requester:
    """An admission hook: the API says who asks, whatever the request says. `groups_of` reads a request (base64)."""

    def __init__(self, groups_of: Callable[[str], tuple[str, ...]]) -> None:
        self._groups_of = groups_of

    async def admit(self, request: AdmissionRequest) -> Admitted:
        """Write down who asks. Nobody gets a certificate of the administrators' group: no role could take it back."""
        new = request.new
        if new is None or request.kind is not requests.KIND or request.operation != "CREATE":
            return Admitted(obj=new or {})
        spec, user = new["spec"], request.user
        if spec["signerName"] == requests.CLIENT_SIGNER and ADMINS in self._groups_of(spec["request"]):
            why = f"use of {requests.CLIENT_SIGNER} signer with {ADMINS} group is not allowed"
            raise errors.forbidden(request.kind, request.name, why)
        own: Doc = {"username": user.name, "uid": user.uid, "groups": list(user.groups)}
        own["extra"] = {name: list(values) for name, values in user.extra}
        kept = {name: value for name, value in spec.items() if name not in own}
        return Admitted(obj={**new, "spec": {**kept, **{name: value for name, value in own.items() if value}}})
