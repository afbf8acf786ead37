"""Why a request was refused, for the header of the answer: which policy, which token, who said no.

The body stays what Envoy, or who was asked, says: programs know `RBAC: access denied`, and a page to log in is one.
"""

from collections.abc import Iterator
from typing import Final

from semafor import ir
from semafor.envoy.pool import Pool
from semafor.envoy.render.shape import Fields, typed

_CEL: Final = "envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"
_DETAILS: Final = "%RESPONSE_CODE_DETAILS%"
# What Envoy's filters leave as details. The name of the rule stands in the brackets; `none` where none took it.
_RULE: Final = "rbac_access_denied_matched_policy["
_NO_RULE: Final = f"{_RULE}none]"
_BAD_TOKEN: Final = "jwt_authn_access_denied"  # noqa: S105 -- words, no secret
_MOST_NAMES: Final = 10  # as many as one reads


def reasons(pool: Pool, node: ir.HttpConnection) -> Iterator[tuple[Fields, str]]:
    """Which answer is meant, and its reason, in the order in which they are to be tried."""
    asked = [guard.authorizer.name for guard in node.guards if guard.authorizer]
    if asked:
        test = {"response_flag_filter": {"flags": ["UAEX"]}}
        yield test, f"UAEX: {' or '.join(asked)} did not let it pass ({_DETAILS})"
    for guard in node.guards:
        if guard.action == "allow" and not guard.dry_run:
            yield _details(pool, _NO_RULE), f"RBAC: no ALLOW rule takes it, of {_list(guard.policies)}"
    if any(guard.action == "deny" for guard in node.guards):
        yield _details(pool, _RULE), f"RBAC: a DENY rule takes it ({_DETAILS})"
    if node.token_issuers:
        yield _details(pool, _BAD_TOKEN), f"JWT: the token is refused ({_DETAILS})"


def _details(pool: Pool, start: str) -> Fields:
    """Answers whose details begin like this."""
    test = typed(pool, "envoy.access_loggers.extension_filters.cel", _CEL, expression=_begins(start))
    return {"extension_filter": test}


def _begins(start: str) -> str:
    return f'response.code_details.startsWith("{start}")'


def _list(names: tuple[str, ...]) -> str:
    told = ", ".join(names[:_MOST_NAMES])
    return told if len(names) <= _MOST_NAMES else f"{told} and {len(names) - _MOST_NAMES} more"
