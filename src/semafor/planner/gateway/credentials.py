"""What a server shows its clients, and what it takes from them: the names of its secrets, and why one is missing."""

from collections.abc import Iterator

from semafor import ir
from semafor.base.problem import Problem
from semafor.base.struct import Value
from semafor.planner.checks import problems
from semafor.planner.checks.problems import at
from semafor.planner.credential import AUTHORITIES_SUFFIX, Credential
from semafor.planner.gateway.server import Files, Server, ServerTls
from semafor.planner.mesh import Mesh

_IDENTITY, _ROOT = "default", "ROOTCA"  # the proxy's own, which it always has
_CONFIG_MAP = "ConfigMap:"
_TAKES_CLIENTS = frozenset({"mutual", "optional_mutual"})


class Found(Value):
    """The secrets' names, those that the plan has to carry, and what is wrong. With a problem there are no names.

    An empty `validation` looks at no client's certificate.
    """

    certificates: tuple[str, ...] = ()
    validation: str = ""
    used: tuple[ir.Credential, ...] = ()
    problems: tuple[Problem, ...] = ()


def of(mesh: Mesh, server: Server, namespace: str) -> Found:
    """The secrets of a server that ends TLS, in a pod of `namespace`."""
    tls = server.tls
    if tls is None or not tls.ends_here:
        return Found()
    if tls.mode == "istio_mutual":
        return Found(certificates=(_IDENTITY,), validation=_ROOT)
    if tls.files:
        return _from_files(tls.files, takes_clients=tls.mode in _TAKES_CLIENTS)
    return _from_secrets(mesh, server, tls, namespace)


def _from_files(files: tuple[Files, ...], *, takes_clients: bool) -> Found:
    """Files of the pod. Names are Istio's: they say where the files are."""
    pairs = tuple(
        ir.Credential(
            name=f"file-cert:{each.certificate}~{each.key}", certificate=each.certificate, key=each.key, files=True
        )
        for each in files
    )
    names, root = tuple(pair.name for pair in pairs), files[0].authorities
    if not takes_clients:
        return Found(certificates=names, used=pairs)
    trust = ir.Credential(name=f"file-root:{root}", authorities=root, revoked=files[0].revoked, files=True)
    return Found(certificates=names, validation=trust.name, used=(*pairs, trust))


def _from_secrets(mesh: Mesh, server: Server, tls: ServerTls, namespace: str) -> Found:
    told: list[Problem] = []
    pairs = []
    place = at(server.origin, "tls.credentialName")
    for name in tls.credentials:
        where, own = _place(name, namespace)
        credential = mesh.credentials.get((where, own))
        if credential is None:
            told.append(problems.no_credential(place, f"{where}/{own}"))
        elif credential.flaw:
            told.append(problems.bad_credential(place, f"{where}/{own}", credential.flaw))
        else:
            pairs.append(_pair(credential))
    trust: ir.Credential | None = None
    if tls.mode in _TAKES_CLIENTS:
        trust, mistakes = _authorities(mesh, server, tls, namespace)
        told += mistakes
    if told or not pairs:
        return Found(problems=tuple(told))
    return Found(
        certificates=tuple(pair.name for pair in pairs),
        validation=trust.name if trust else "",
        used=(*pairs, *((trust,) if trust else ())),
    )


def _authorities(
    mesh: Mesh, server: Server, tls: ServerTls, namespace: str
) -> tuple[ir.Credential | None, tuple[Problem, ...]]:
    """Whom clients' certificates have to be from: of the first of the objects that could say it."""
    place = at(server.origin, "tls.caCertCredentialName" if tls.authorities else "tls.credentialName")
    wanted = list(_candidates(mesh, tls, namespace))
    for _, found in wanted:
        if found and found.authorities:
            if found.authorities_flaw:
                return None, (
                    problems.bad_credential(place, f"{found.namespace}/{found.name}", found.authorities_flaw),
                )
            return _trust(found), ()
    return None, (problems.no_authorities(place, wanted[-1][0] if wanted else ""),)


def _candidates(mesh: Mesh, tls: ServerTls, namespace: str) -> Iterator[tuple[str, Credential | None]]:
    """The objects that may hold the authorities, each by its name. Source: Istio's "Secure Gateways", mutual TLS."""
    if tls.authorities:
        where, name = _place(tls.authorities.removeprefix(_CONFIG_MAP), namespace)
        if not tls.authorities.startswith(_CONFIG_MAP):
            yield f"{where}/{name}", mesh.credentials.get((where, name))
        yield f"{where}/{name}", mesh.bundles.get((where, name))
        return
    for credential in tls.credentials[:1]:
        where, name = _place(credential, namespace)
        for own in (name + AUTHORITIES_SUFFIX, name):
            yield f"{where}/{own}", mesh.credentials.get((where, own))


def _place(name: str, namespace: str) -> tuple[str, str]:
    where, slash, own = name.rpartition("/")
    return (where if slash else namespace), own


def _pair(found: Credential) -> ir.Credential:
    name = f"kubernetes://{found.namespace}/{found.name}"
    return ir.Credential(name=name, certificate=found.certificate, key=found.key)


def _trust(found: Credential) -> ir.Credential:
    """The suffix tells a Secret's authorities from its certificate, which has the same name."""
    name = f"kubernetes://{found.namespace}/{found.name.removesuffix(AUTHORITIES_SUFFIX)}{AUTHORITIES_SUFFIX}"
    return ir.Credential(name=name, authorities=found.authorities, revoked=found.revoked)
