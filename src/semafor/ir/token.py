"""Which JSON Web Tokens requests may carry."""

from semafor.base.struct import Value
from semafor.ir.origin import Origin


class TokenIssuer(Value, cache_hash=True):
    """Who signs tokens, and what becomes of a valid one. A request without any token passes.

    `keys` is a JSON Web Key Set (RFC 7517); without one, no token of the issuer is valid. A token must be for one of
    the `audiences`, if there are any. It is looked for in `headers` (name, what stands before it), `parameters` of the
    query and `cookies`; without all three in `Authorization: Bearer` and in `access_token`.
    `forward`: the app gets the token too. `payload_header` gets its payload in base64, `claim_headers` (claim, header)
    single claims. `lists` are claims that are lists with spaces between their items.
    """

    name: str
    issuer: str
    keys: str = ""
    audiences: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    parameters: tuple[str, ...] = ()
    cookies: tuple[str, ...] = ()
    forward: bool = False
    payload_header: str = ""
    claim_headers: tuple[tuple[str, str], ...] = ()
    lists: tuple[str, ...] = ()
    origin: Origin | None = None
