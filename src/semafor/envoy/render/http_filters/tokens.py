"""The filter that checks tokens, answers 401 to those that are not valid, and leaves the claims of the others."""

import json
from typing import Final

from semafor import ir
from semafor.base import key_set
from semafor.envoy.pool import Pool
from semafor.envoy.render import claims
from semafor.envoy.render.shape import Fields, typed

_TYPE: Final = "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"
_LISTS: Final = ("scope", "permission")  # lists with spaces between their items, by their nature (RFC 8693)
# Envoy refuses a set without one good key, and with it the whole listener. This one is in every set, for those
# that have none: no point of Ed25519 has this y, so no signature is ever right.
_NOBODY: Final = {
    "kty": "OKP",
    "crv": "Ed25519",
    "alg": "EdDSA",
    "kid": "nobody",
    "x": "AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
}


def for_connection(pool: Pool, connection: ir.HttpConnection) -> list[Fields]:
    issuers = connection.token_issuers
    if not issuers:
        return []
    routed = connection.direction == "outbound"  # a gateway: claims may decide on the route, which was chosen before
    providers = {each.name: _provider(each) | {"clear_route_cache": routed} for each in issuers}
    valid = [{"provider_name": issuer.name} for issuer in issuers]
    rule = {"match": {"prefix": "/"}, "requires": {"requires_any": {"requirements": [*valid, {"allow_missing": {}}]}}}
    return [typed(pool, claims.FILTER, _TYPE, providers=providers, rules=[rule])]


def _provider(node: ir.TokenIssuer) -> Fields:
    return {
        "issuer": node.issuer,
        "audiences": node.audiences,
        "local_jwks": {"inline_string": _key_set(node.keys)},
        "from_headers": [{"name": name, "value_prefix": prefix} for name, prefix in node.headers],
        "from_params": node.parameters,
        "from_cookies": node.cookies,
        "forward": node.forward,
        "forward_payload_header": node.payload_header,
        "claim_to_headers": [{"claim_name": claim, "header_name": header} for claim, header in node.claim_headers],
        "payload_in_metadata": claims.KEY,
        "normalize_payload_in_metadata": {"space_delimited_claims": (*_LISTS, *node.lists)},
    }


def _key_set(text: str) -> str:
    """A set that Envoy takes whatever the text is: it passes over single keys that are wrong."""
    try:
        found = key_set.keys(text) if text else []
    except ValueError:
        found = []
    return json.dumps({"keys": [*found, _NOBODY]}, separators=(",", ":"))
