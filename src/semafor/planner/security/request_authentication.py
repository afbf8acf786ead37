"""RequestAuthentication: which JSON Web Tokens requests may carry.

An invalid token is refused, no token at all passes: to ask for one is the work of an AuthorizationPolicy.
Source: Istio's reference of RequestAuthentication.
"""

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from semafor.base import duration, key_set
from semafor.base.problem import ObjectRef, Problem
from semafor.base.struct import Value
from semafor.ir import Origin, TokenIssuer
from semafor.planner.checks import problems
from semafor.planner.checks.problems import at
from semafor.planner.proxy import Workload
from semafor.planner.security import selecting
from semafor.planner.security.selecting import Scope
from semafor.planner.services.instances import Key
from semafor.resources.istio import request_authentication as istio

DISCOVERY = "/.well-known/openid-configuration"  # OpenID Connect Discovery 1.0, section 4
_TIMEOUT = "5s"  # Istio's, for an answer with keys


class Keys(Value):
    """What was found where an issuer's keys should be: a JSON Web Key Set, or why there is none."""

    jwks: str = ""
    flaw: str = ""


class Issuer(Value):
    """One rule. `keys_at` is where the keys are: a URL of a key set, or else of the issuer (by OpenID discovery).

    `timeout_s` is how long one waits there.
    """

    plain: TokenIssuer
    keys_at: str
    origin: Origin
    timeout_s: float = 5.0


class RequestAuthentication(Value, cache_hash=True):
    """One object."""

    scope: Scope
    issuers: tuple[Issuer, ...]
    origin: Origin
    problems: tuple[Problem, ...] = ()


Policies = Mapping[Key, RequestAuthentication]


def read(document: istio.RequestAuthentication) -> RequestAuthentication:
    """The object as a value."""
    meta, spec = document.metadata, document.spec
    ref = ObjectRef(kind=istio.KIND.kind, namespace=meta.namespace, name=meta.name, group=istio.KIND.group)
    origin = Origin(ref=ref, path="spec")
    issuers = tuple(_issuer(rule, at(origin, f"jwtRules[{index}]"), index) for index, rule in enumerate(spec.jwt_rules))
    return RequestAuthentication(
        scope=selecting.scope(meta.namespace, spec.selector, (*spec.target_refs, spec.target_ref)),
        issuers=issuers,
        origin=origin,
        problems=(
            *selecting.mistakes(spec.target_refs, origin, spec.target_ref),
            *(one for each in issuers for one in _mistakes(each)),
        ),
    )


def _issuer(rule: istio.JWTRule, origin: Origin, index: int) -> Issuer:
    ref = origin.ref
    plain = TokenIssuer(
        name=f"{ref.namespace}/{ref.name}/{index}",
        issuer=rule.issuer,
        keys=rule.jwks,
        audiences=rule.audiences,
        headers=tuple((header.name, header.prefix) for header in rule.from_headers),
        parameters=rule.from_params,
        cookies=rule.from_cookies,
        forward=rule.forward_original_token,
        payload_header=rule.output_payload_to_header,
        claim_headers=tuple((each.claim, each.header) for each in rule.output_claim_to_headers),
        lists=rule.space_delimited_claims,
        origin=origin,
    )
    uri = rule.jwks_uri or rule.jwks_uri_old
    return Issuer(
        plain=plain,
        keys_at="" if rule.jwks else uri or discovery(rule.issuer),
        origin=origin,
        timeout_s=duration.parse(rule.timeout or _TIMEOUT),
    )


def discovery(issuer: str) -> str:
    """Where an issuer tells of itself, its keys among it."""
    is_url = issuer.startswith(("http://", "https://"))
    return issuer.rstrip("/") + DISCOVERY if is_url else ""


def _mistakes(issuer: Issuer) -> Iterator[Problem]:
    if issuer.plain.keys:
        if not _has_keys(issuer.plain.keys):
            place = at(issuer.origin, "jwks")
            yield problems.invalid(place, "it is not a JSON Web Key Set, so every token is refused", "see RFC 7517")
    elif not issuer.keys_at:
        message = "nothing says where the issuer's keys are, so its tokens are refused"
        yield problems.invalid(issuer.origin, message, "set jwks or jwksUri")


def _has_keys(text: str) -> bool:
    try:
        return bool(key_set.keys(text))
    except ValueError:
        return False


def wanted(policies: Policies) -> dict[str, float]:
    """Where the keys of all issuers are that do not come with theirs, and for how many seconds one waits there."""
    found: dict[str, float] = {}
    for issuer in (issuer for policy in policies.values() for issuer in policy.issuers if issuer.keys_at):
        found[issuer.keys_at] = max(found.get(issuer.keys_at, 0.0), issuer.timeout_s)
    return found


def issuers(policies: Policies, keys: Mapping[str, Keys], workload: Workload, root: str) -> tuple[TokenIssuer, ...]:
    """Whose tokens the workload knows."""
    own = [policies[key] for key in sorted(policies) if policies[key].scope.covers(workload, root)]
    return tuple(_with_keys(issuer, keys) for policy in own for issuer in policy.issuers)


def _with_keys(issuer: Issuer, keys: Mapping[str, Keys]) -> TokenIssuer:
    return replace(issuer.plain, keys=keys.get(issuer.keys_at, Keys()).jwks) if issuer.keys_at else issuer.plain


def check(policy: RequestAuthentication, keys: Mapping[str, Keys]) -> Iterator[Problem]:
    """What is wrong with the object, and whose keys are missing."""
    yield from policy.problems
    for issuer in policy.issuers:
        known = keys.get(issuer.keys_at, Keys())
        if issuer.keys_at and not known.jwks:
            yield problems.keys_unavailable(at(issuer.origin, "jwksUri"), issuer.keys_at, known.flaw)
