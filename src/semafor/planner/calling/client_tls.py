"""The certificates of clusters that originate TLS: from Secrets, from files, or the machine's own roots.

What a proxy cannot have, it must not do without: the cluster is closed then, and requests say that nobody is there.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from semafor import ir
from semafor.base.problem import Problem
from semafor.base.struct import Value
from semafor.ir import Cluster
from semafor.planner.calling import clusters
from semafor.planner.calling.view import View
from semafor.planner.checks import problems
from semafor.planner.checks.problems import at
from semafor.planner.credential import AUTHORITIES_SUFFIX, Credential
from semafor.planner.mesh import Mesh
from semafor.planner.traffic.destination_rule import DestinationRule
from semafor.planner.traffic.security import Files, Security

_SYSTEM_ROOTS = "file-root:system"  # the name is Istio's
_CONFIG_MAP = "configmap://"


class _Found(Value):
    """What was found; `missing` says what was not, and why it counts as not there."""

    own: ir.Credential | None = None
    trust: ir.Credential | None = None
    missing: str = ""


def completed(mesh: Mesh, cluster: Cluster, rule: DestinationRule | None, security: Security, view: View) -> Cluster:
    """The cluster with the names of its secrets and what is in them, or closed when they cannot be had."""
    if cluster.tls is None or not security.originates:
        return cluster
    found = _found(mesh, security, view.namespace)
    if found.missing or (security.credential and not _may_have(rule, view)):
        return clusters.closed(cluster)
    return replace(
        cluster,
        tls=replace(
            cluster.tls,
            certificate=found.own.name if found.own else "",
            validation=found.trust.name if found.trust else "",
        ),
        credentials=tuple(each for each in (found.own, found.trust) if each),
    )


def _may_have(rule: DestinationRule | None, view: View) -> bool:
    """Whether the callers get Secrets by this rule: gateways do, sidecars only when they were chosen by their labels.

    Else a key would be handed to every pod of the namespace. Source: Istio's buildUpstreamClusterTLSContext, which
    sends plain text instead. Differs from Istio: here nothing is sent.
    """
    return bool(view.gateways) or (rule is not None and rule.selector is not None)


def _found(mesh: Mesh, security: Security, namespace: str) -> _Found:
    if security.credential:
        return _from_secret(mesh, security, namespace)
    files = security.files
    if security.mode == "mutual" and not (files.certificate and files.key):
        return _Found(missing="a certificate and its key")
    own = _own_files(files) if security.mode == "mutual" else None
    if not security.verify:
        return _Found(own=own)
    if files.authorities:
        return _Found(own=own, trust=_trusted_files(files))
    roots = mesh.options.system_roots
    if not roots:
        return _Found(missing="certificates of authorities on this machine")
    return _Found(own=own, trust=ir.Credential(name=_SYSTEM_ROOTS, authorities=roots))


def _own_files(files: Files) -> ir.Credential:
    name = f"file-cert:{files.certificate}~{files.key}"
    return ir.Credential(name=name, certificate=files.certificate, key=files.key, files=True)


def _trusted_files(files: Files) -> ir.Credential:
    name = f"file-root:{files.authorities}"
    return ir.Credential(name=name, authorities=files.authorities, revoked=files.revoked, files=True)


def _from_secret(mesh: Mesh, security: Security, namespace: str) -> _Found:
    pair, authorities = _objects(mesh, security.credential, namespace)
    own = trust = None
    if security.mode == "mutual":
        if pair is None or pair.flaw:
            return _Found(missing=_why(security.credential, pair, pair.flaw if pair else ""))
        own = ir.Credential(name=f"kubernetes://{namespace}/{pair.name}", certificate=pair.certificate, key=pair.key)
    if security.verify:
        if authorities is None or authorities.authorities_flaw:
            flaw = authorities.authorities_flaw if authorities else "it has no ca.crt or cacert"
            return _Found(missing=_why(security.credential, authorities or pair, flaw))
        trust = ir.Credential(
            name=f"kubernetes://{namespace}/{authorities.name.removesuffix(AUTHORITIES_SUFFIX)}{AUTHORITIES_SUFFIX}",
            authorities=authorities.authorities,
            revoked=authorities.revoked,
        )
    return _Found(own=own, trust=trust)


def _why(name: str, found: Credential | None, flaw: str) -> str:
    return f"the Secret {name}" + (f": {flaw}" if found else ", which does not exist")


def _objects(mesh: Mesh, name: str, namespace: str) -> tuple[Credential | None, Credential | None]:
    """The object with certificate and key, and the one that says whom to trust. Source: Istio's "Secure Gateways"."""
    if name.startswith(_CONFIG_MAP):
        return None, mesh.bundles.get((namespace, name.removeprefix(_CONFIG_MAP)))
    pair = mesh.credentials.get((namespace, name))
    aside = mesh.credentials.get((namespace, name + AUTHORITIES_SUFFIX))
    return pair, next((each for each in (aside, pair) if each and each.authorities), None)


def inputs(mesh: Mesh, rule: DestinationRule | None, namespace: str) -> Iterator[object]:
    """Everything that the clusters of the rule are completed by, for callers of the namespace."""
    if rule is None or not mesh.memo("rules name secrets", (mesh.destination_rules,), lambda: _some_name_secrets(mesh)):
        return
    for name in _names(rule):
        yield from _objects(mesh, name, namespace)


def _some_name_secrets(mesh: Mesh) -> bool:
    return any(name for rule in mesh.destination_rules.values() for name in _names(rule))


def _names(rule: DestinationRule) -> Iterator[str]:
    for said in rule.policies:
        if said.security and said.security.credential:
            yield said.security.credential


def mistakes(mesh: Mesh, rule: DestinationRule) -> Iterator[Problem]:
    """Secrets that are not there, and rules that hand them to nobody but gateways."""
    for said in rule.policies:
        security = said.security
        if security is None or not security.originates or security.origin is None:
            continue
        if security.credential and rule.selector is None:
            yield problems.for_gateways_only(at(security.origin, "credentialName"))
        elif missing := _found(mesh, security, rule.origin.ref.namespace).missing:
            yield problems.no_client_credential(security.origin, missing)
