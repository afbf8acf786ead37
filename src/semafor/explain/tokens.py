"""What the filter that checks tokens makes of the claims that a request is imagined with.

Source: Envoy's reference of the JWT filter. That a signature is right and the token has not expired is taken as given.
"""

from msgspec.structs import replace

from semafor.explain.request import Request
from semafor.ir import TokenIssuer


def accepted(issuers: tuple[TokenIssuer, ...], request: Request) -> tuple[Request, int, str]:
    """The request with the claims that count, and the status and reason where the token is refused (else 0, "")."""
    if not request.claims or not issuers:
        return replace(request, claims=()), 0, ""
    own = [each for each in issuers if each.issuer in request.claim("iss")]
    if not own:
        known = ", ".join(dict.fromkeys(each.issuer for each in issuers))
        return request, 401, f"no RequestAuthentication knows the token's issuer (known: {known})"
    fitting = [each for each in own if not each.audiences or set(each.audiences) & set(request.claim("aud"))]
    if not fitting:
        wanted = ", ".join(dict.fromkeys(audience for each in own for audience in each.audiences))
        return request, 403, f"{own[0].origin} wants a token for the audience {wanted}"
    if not any(each.keys for each in fitting):
        return request, 401, f"the issuer's keys are not known ({fitting[0].origin})"
    return request, 0, ""
