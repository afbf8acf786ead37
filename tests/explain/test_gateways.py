"""What a gateway makes of tokens and of policies before it routes, in values."""

from semafor.explain import Caller, Request, outbound
from semafor.ir import (
    Condition,
    DirectResponse,
    FilterChain,
    Guard,
    HeaderMatch,
    HttpConnection,
    Listener,
    Plan,
    Route,
    RouteMatch,
    RouteTable,
    Rule,
    StringMatch,
    TokenIssuer,
    VirtualHost,
)

STAFF = HeaderMatch(name="@request.auth.claims.group", value=StringMatch("exact", "staff"), claim=("group",))
ISSUER = TokenIssuer(name="a", issuer="https://issuer.example", keys="{}")
ADMIN = Rule(name="admin", what=((Condition(on="path", values=(StringMatch("prefix", "/admin"),)),),))


def entered(request: Request):
    """The status of a request at a gateway that denies /admin and has a route for the staff before the one for all."""
    routes = (
        Route(match=RouteMatch(headers=(STAFF,)), action=DirectResponse(status=201)),
        Route(match=RouteMatch(), action=DirectResponse(status=200)),
    )
    table = RouteTable(name="t", hosts=(VirtualHost(name="h", domains=("*",), routes=routes),), any_port=True)
    http = HttpConnection(
        stat_prefix="s",
        direction="outbound",
        routes=table,
        token_issuers=(ISSUER,),
        guards=(Guard(action="deny", rules=(ADMIN,)),),
    )
    plan = Plan(proxy="gateway", listeners=(Listener(name="l", port=8080, chains=(FilterChain(filter=http),)),))
    (outcome,) = outbound.entrance(plan, request, Caller(name="outside")).outcomes
    return outcome.status


def request(path: str, **claims: tuple[str, ...]) -> Request:
    return Request(host="a.example", port=80, at_port=8080, method="GET", path=path, claims=tuple(claims.items()))


def test_a_policy_of_the_gateway_refuses():
    assert [entered(request(path)) for path in ("/", "/admin", "/x/../admin")] == [200, 403, 403]


def test_a_claim_decides_on_the_route():
    assert entered(request("/", iss=(ISSUER.issuer,), group=("staff", "all"))) == 201
    assert entered(request("/", iss=(ISSUER.issuer,), group=("all",))) == 200


def test_a_token_of_an_unknown_issuer_is_refused():
    assert entered(request("/", iss=("https://other.example",), group=("staff",))) == 401
