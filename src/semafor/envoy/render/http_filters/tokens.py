"""The filter that checks tokens, answers 401 to those that are not valid, and leaves the claims of the others."""

from typing import Final

from semafor import ir
from semafor.envoy.pool import Pool
from semafor.envoy.render import claims
from semafor.envoy.render.shape import Fields, typed

_TYPE: Final = "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"
_LISTS: Final = ("scope", "permission")  # lists with spaces between their items, by their nature (RFC 8693)
_NO_KEYS: Final = '{"keys":[]}'


def for_connection(pool: Pool, connection: ir.HttpConnection) -> list[Fields]:
    issuers = connection.token_issuers
    if not issuers:
        return []
    valid = [{"provider_name": issuer.name} for issuer in issuers]
    rule = {"match": {"prefix": "/"}, "requires": {"requires_any": {"requirements": [*valid, {"allow_missing": {}}]}}}
    return [typed(pool, claims.FILTER, _TYPE, providers={each.name: _provider(each) for each in issuers}, rules=[rule])]


def _provider(node: ir.TokenIssuer) -> Fields:
    return {
        "issuer": node.issuer,
        "audiences": node.audiences,
        "local_jwks": {"inline_string": node.keys or _NO_KEYS},
        "from_headers": [{"name": name, "value_prefix": prefix} for name, prefix in node.headers],
        "from_params": node.parameters,
        "from_cookies": node.cookies,
        "forward": node.forward,
        "forward_payload_header": node.payload_header,
        "claim_to_headers": [{"claim_name": claim, "header_name": header} for claim, header in node.claim_headers],
        "payload_in_metadata": claims.KEY,
        "normalize_payload_in_metadata": {"space_delimited_claims": (*_LISTS, *node.lists)},
    }
