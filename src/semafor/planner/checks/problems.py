"""Every mistake that the planner can find, with its words. One function per reason, so that the wording is one file."""

from typing import Literal

from semafor.base.problem import ObjectRef, Problem
from semafor.ir import Origin
from semafor.planner.checks import mends

Severity = Literal["error", "warning", "info"]


def at(origin: Origin, path: str) -> Origin:
    """A place inside a place: `at(spec.http[0], "route[1]")`; an index or key is given with its brackets."""
    if not origin.path:
        return Origin(ref=origin.ref, path=path)
    return Origin(ref=origin.ref, path=origin.path + (path if path.startswith("[") else f".{path}"))


def problem(origin: Origin, reason: str, message: str, *, fix: str = "", severity: Severity = "warning") -> Problem:
    """One at a place; the functions of this module and of those beside it word it."""
    return Problem(ref=origin.ref, path=origin.path, reason=reason, message=message, fix=fix, severity=severity)


def not_supported(origin: Origin, field: str) -> Problem:
    why, fix = mends.of(field)
    message = f"the field {field} has no effect: {why}"
    return problem(at(origin, field), "NotSupported", message, fix=fix, severity="error")


def without_effect(origin: Origin, field: str, why: str) -> Problem:
    return problem(at(origin, field), "NoEffect", f"the field {field} has no effect: {why}", fix="remove it")


def never_ejects(origin: Origin, instances: int, allowed: int, least: int) -> Problem:
    return problem(
        origin,
        "NeverEjects",
        f"nobody is ever left out: one of {instances} is more than {allowed} per cent",
        fix=f"set maxEjectionPercent to at least {least}",
        severity="info",
    )


def not_for_datagrams(origin: Origin, host: str, ports: tuple[int, ...]) -> Problem:
    numbers = ", ".join(map(str, ports))
    return problem(
        origin,
        "NotForDatagrams",
        f"anybody may send to UDP port {numbers} of {host}: sidecars do not see datagrams, so no policy holds for them",
        fix="let the application itself verify who sends, or take the UDP port away",
    )


def for_gateways_only(origin: Origin) -> Problem:
    return problem(
        origin,
        "GatewayOnly",
        "sidecars do not get the Secret: from them, connections are refused; gateways get it",
        fix="add a workloadSelector for the sidecars that are to have it",
        severity="info",
    )


def no_client_credential(origin: Origin, missing: str) -> Problem:
    return problem(
        origin,
        "NoCredential",
        f"connections are refused, because this is missing: {missing}",
        fix="create the Secret in the namespace of the callers, with tls.crt, tls.key and ca.crt in PEM",
        severity="error",
    )


def value_not_supported(origin: Origin, value: str, supported: str) -> Problem:
    message = f"{value} has no effect: {mends.of_value(value)}"
    return problem(origin, "NotSupported", message, fix=f"use one of {supported}", severity="error")


def no_weight(origin: Origin) -> Problem:
    return invalid(origin, "no destination has a weight above 0", "give the weights")


def delegate_unusable(origin: Origin, delegate: tuple[str, str], why: str) -> Problem:
    return problem(
        origin,
        "DelegateUnusable",
        f"requests cannot be handed over to VirtualService {'/'.join(delegate)}: {why}, so the route is as absent",
        fix="create a VirtualService without hosts by that name, or name another",
        severity="error",
    )


def delegate_delegates(origin: Origin) -> Problem:
    return problem(
        origin,
        "DelegateUnusable",
        "a delegate cannot hand requests over to another one, so the route is as absent",
        fix="let the VirtualService with the hosts name that one itself",
        severity="error",
    )


def delegate_conflict(origin: Origin, root: Origin) -> Problem:
    return problem(
        origin,
        "DelegateConflict",
        f"the route is as absent for {root.ref} {root.path}, whose conditions do not include those of this one",
        fix="let each condition here be narrower than one there, and use no regular expressions for what both test",
        severity="error",
    )


def delegate_unused(origin: Origin) -> Problem:
    return problem(
        origin,
        "DelegateUnused",
        "the object has no effect: it has no hosts, and no VirtualService hands requests over to it",
        fix="name it in http[].delegate of a VirtualService, or give it hosts",
    )


def no_effect(origin: Origin, why: str, fix: str) -> Problem:
    """What is written does nothing, which can hardly be meant."""
    return problem(origin, "NoEffect", why, fix=fix)


def invalid(origin: Origin, message: str, fix: str = "") -> Problem:
    return problem(origin, "Invalid", message, fix=fix, severity="error")


def unusable(ref: ObjectRef, why: str) -> Problem:
    """The whole object counts for nothing."""
    return problem(Origin(ref=ref), "Unusable", f"the object has no effect: {why}", severity="error")


def unknown_host(origin: Origin, host: str, short: str) -> Problem:
    message = f"there is no service with the host {host}"
    if short.endswith(".svc.cluster.local"):
        fix = "create the service, or mend its name"
    elif "." in short:
        fix = f"write {short}.svc.cluster.local if {short} is a service and its namespace, or create the service"
    else:
        fix = f"create the service {short}, or write the full host of a service of another namespace"
    return problem(origin, "UnknownHost", message, fix=fix)


def unknown_subset(origin: Origin, subset: str, host: str) -> Problem:
    return problem(
        origin,
        "UnknownSubset",
        f"no DestinationRule defines the subset {subset} of {host}, so it gets no requests yet",
        fix=f"define the subset {subset} in a DestinationRule for {host}",
    )


def subset_not_live(origin: Origin, subset: str, host: str) -> Problem:
    return problem(
        origin,
        "SubsetNotLive",
        f"no pod of the subset {subset} of {host} is ready, so it gets no requests yet",
        fix="wait for its pods, or check their labels against the subset's",
        severity="info",
    )


def unknown_port(origin: Origin, port: int, host: str) -> Problem:
    return problem(
        origin,
        "UnknownPort",
        f"the service {host} has no port {port}",
        fix="use one of the ports in the service's spec.ports",
        severity="error",
    )


def held(origin: Origin) -> Problem:
    return problem(
        origin,
        "Held",
        "none of the route's destinations is live, so its requests go where they would go without it",
    )


def ignored(origin: Origin, by: Origin) -> Problem:
    return problem(
        origin,
        "Ignored",
        f"the object has no effect on this host: {by.ref} is older, and the mesh uses the oldest VirtualService only",
        fix="merge the two, or set the mesh option several_virtual_services to layered",
    )


def provider_unusable(origin: Origin, why: str) -> Problem:
    return problem(
        origin,
        "ProviderUnusable",
        f"nobody can be asked, so what the rules take is refused: {why}",
        fix="list it in extensionProviders of the ConfigMap istio-system/istio, with the full host of a service",
        severity="error",
    )


_LIST_IT = "list it in extensionProviders of the ConfigMap istio-system/istio, with the full host of a service"


def provider_told_nothing(origin: Origin, why: str, fix: str = _LIST_IT) -> Problem:
    return problem(
        origin,
        "ProviderUnusable",
        f"nobody is told: {why}",
        fix=fix,
        severity="error",
    )


def keys_unavailable(origin: Origin, where: str, why: str) -> Problem:
    return problem(
        origin,
        "KeysUnavailable",
        f"the issuer's keys at {where} cannot be had, so its tokens are refused: {why}"
        if why
        else f"the issuer's keys at {where} are being fetched; until they are there, its tokens are refused",
        fix="check the address, or write the keys into jwks",
    )


def second_policy(origin: Origin, by: Origin) -> Problem:
    return problem(
        origin,
        "Ignored",
        f"the object has no effect: {by.ref}, which is older, is for the same workloads",
        fix="delete one of the two, or give it another selector",
    )


def selector_in_root(origin: Origin, root: str) -> Problem:
    return problem(
        origin,
        "Ignored",
        f"the object has no effect: in {root}, whose objects are for the whole mesh, it can have no selector",
        fix="create it in the namespace of the workloads",
        severity="error",
    )


def duplicate_subset(origin: Origin, subset: str, by: Origin) -> Problem:
    return problem(
        origin,
        "Conflict",
        f"the subset {subset} has no effect: {by.ref}, which is older, defines it for the same host",
        fix="rename one of the two subsets",
        severity="error",
    )


def duplicate_policy(origin: Origin, by: Origin) -> Problem:
    return problem(
        origin,
        "Conflict",
        f"the traffic policy has no effect: {by.ref}, which is older, has one for the same host",
        fix="write one traffic policy for each host",
        severity="error",
    )


def unknown_traffic(origin: Origin, kind: str, name: str) -> Problem:
    return problem(
        origin,
        "UnknownTraffic",
        f"there is no {kind} {name}, so it takes no requests yet",
        fix=f"create {name}, or correct the name",
    )


def unused_traffic(origin: Origin) -> Problem:
    return problem(
        origin,
        "Unused",
        "no TrafficSplit and no TrafficTarget refers to it, so it changes nothing yet",
        fix="name it in the matches of a TrafficSplit or in the rules of a TrafficTarget",
        severity="info",
    )


def foreign_target(origin: Origin, namespace: str) -> Problem:
    return problem(
        origin,
        "ForeignNamespace",
        f"the object has no effect: it would shut out callers of workloads of the namespace {namespace}, not its own",
        fix=f"create it in the namespace {namespace}",
        severity="error",
    )


def port_conflict(origin: Origin, port: int, by: Origin) -> Problem:
    return problem(
        origin,
        "Conflict",
        f"the server is left out: {by.ref} {by.path}, which is older, has port {port} with another protocol",
        fix="use another port, or the same protocol",
        severity="error",
    )


def reserved_port(origin: Origin, port: int) -> Problem:
    return problem(
        origin,
        "ReservedPort",
        f"nothing listens there: the proxies need port {port} for themselves",
        fix="choose another port",
        severity="error",
    )


def host_conflict(origin: Origin, host: str, by: Origin) -> Problem:
    return problem(
        origin,
        "Conflict",
        f"the host {host} is left out: {by.ref} {by.path}, which is older, serves it with TLS on the same port",
        fix="give each host of a port to one server",
        severity="error",
    )


def no_credential(origin: Origin, name: str) -> Problem:
    return problem(
        origin,
        "NoCredential",
        f"there is no Secret {name} with a certificate, so the server closes every connection",
        fix=f"kubectl create secret tls {name.partition('/')[2]} -n {name.partition('/')[0]} --cert=FILE --key=FILE",
        severity="error",
    )


def bad_credential(origin: Origin, name: str, why: str) -> Problem:
    return problem(
        origin,
        "BadCredential",
        f"{name} can not be used, so the server closes every connection: {why}",
        fix="write a certificate and its key in PEM into it",
        severity="error",
    )


def no_authorities(origin: Origin, name: str) -> Problem:
    return problem(
        origin,
        "NoCredential",
        f"nothing says whose client certificates are taken, so the server closes every connection: {name} has no "
        "ca.crt or cacert",
        fix="add ca.crt to the Secret of the certificate, or create a Secret of its name with -cacert at the end",
        severity="error",
    )


def no_gateway_pods(origin: Origin, selector: str) -> Problem:
    return problem(
        origin,
        "NoPods",
        f"no gateway pod has the labels {selector}, so nobody listens on its ports",
        fix="write the labels of a gateway's pods, such as istio: ingressgateway",
    )


def unknown_gateway(origin: Origin, gateway: str) -> Problem:
    return problem(
        origin,
        "UnknownGateway",
        f"there is no Gateway {gateway}",
        fix="create it, or write namespace/name for one of another namespace",
    )


def not_served(origin: Origin, gateway: str) -> Problem:
    return problem(
        origin,
        "NotServed",
        f"none of the hosts is one that the Gateway {gateway} serves to this namespace",
        fix="write hosts that are among spec.servers[].hosts of the Gateway",
    )


def unknown_cipher(origin: Origin, cipher: str) -> Problem:
    return problem(
        origin,
        "Invalid",
        f"{cipher} is none of the ciphers that Envoy knows, so it is left out",
        fix="use names like ECDHE-RSA-AES128-GCM-SHA256",
    )


def not_accepted(origin: Origin, reason: str, message: str) -> Problem:
    """A condition of the Gateway API that does not hold; `reason` is its own word for why."""
    return problem(origin, reason, message)
