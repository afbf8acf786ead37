"""Bookinfo's page, and the API behind it."""

import hmac
import html
import secrets
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from .server import Answer, Request, fetch

_BOOK = {
    "id": 0,
    "title": "The Comedy of Errors",
    "descriptionHtml": "One of <b>William Shakespeare's</b> first plays, his shortest, and a farce of mistaken twins.",
}
_TIMEOUT_S = 3.0
_KEY = secrets.token_bytes(32)  # signs the cookie that says who is logged in; a new pod asks again
_PAGE = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>Simple Bookstore App</title></head>
<body><h3>BookInfo Sample</h3>{who}<h1>{title}</h1><p>{summary}</p>
<div id="details">{details}</div><div id="reviews">{reviews}</div></body></html>
"""
_SIGN_IN = (
    '<form method="post" action="/login"><input name="username" placeholder="User name">'
    '<input name="passwd" type="password"><button>Sign in</button></form>'
)


def productpage(request: Request) -> Answer:
    match request.path.strip("/").split("/"):
        case ["productpage"]:
            return 200, _page(request)
        case ["login"] if request.method == "POST":
            return _login(request)
        case ["logout"]:
            return _redirect(request, "session=; Max-Age=0; Path=/")
        case ["" | "index.html"]:
            return 200, '<title>Simple Bookstore App</title><a href="/productpage">The book</a>'
        case ["api", "v1", "products"]:
            return 200, [_BOOK]
        case ["api", "v1", "products", number]:
            return _details(request, number)
        case ["api", "v1", "products", number, "reviews"]:
            return _reviews(request, number)
        case ["api", "v1", "products", number, "ratings"]:
            return _named(fetch("ratings", f"/ratings/{number}", _headers(request), _TIMEOUT_S), "ratings")
    return 404, "not found"


def _named(answer: Answer, what: str) -> Answer:
    """The answer, or a sentence for people in the place of an error."""
    status, found = answer
    error = {"error": f"Sorry, product {what} are currently unavailable for this book."}
    return (200, found) if status == 200 else (status, error)


def _details(request: Request, number: str) -> Answer:
    return _named(fetch("details", f"/details/{number}", _headers(request), _TIMEOUT_S), "details")


def _reviews(request: Request, number: str) -> Answer:
    """Asked twice at most, 3 s each: the sample's deliberate mistake, which its lesson on faults brings to light."""
    for _ in range(2):
        answer = fetch("reviews", f"/reviews/{number}", _headers(request), _TIMEOUT_S)
        if answer[0] == 200:
            break
    return _named(answer, "reviews")


def _headers(request: Request) -> dict[str, str]:
    """The caller's tracing headers, and the name of who is logged in."""
    user = _user(request)
    return request.passed_on | ({"end-user": user} if user else {})


def _login(request: Request) -> Answer:
    user = parse_qs(request.body.decode(errors="replace")).get("username", [""])[0]
    return _redirect(request, f"session={user.encode().hex()}.{_signature(user)}; HttpOnly; SameSite=Lax; Path=/")


def _redirect(request: Request, cookie: str) -> Answer:
    request.reply_headers += [("Set-Cookie", cookie), ("Location", "/productpage")]
    return 302, ""


def _signature(user: str) -> str:
    return hmac.new(_KEY, user.encode(), "sha256").hexdigest()


def _user(request: Request) -> str:
    try:
        session = SimpleCookie(request.headers["cookie"] or "").get("session")
        name, _, signature = (session.value if session else "").partition(".")
        user = bytes.fromhex(name).decode()
    except (CookieError, ValueError):
        return ""
    return user if hmac.compare_digest(signature, _signature(user)) else ""


def _page(request: Request) -> str:
    user = _user(request)
    signed_in = f'<p>{html.escape(user)} (<a href="/logout">sign out</a>)</p>'
    return _PAGE.format(
        who=signed_in if user else _SIGN_IN,
        title=_BOOK["title"],
        summary=_BOOK["descriptionHtml"],
        details=_details_html(*_details(request, "0")),
        reviews=_reviews_html(*_reviews(request, "0")),
    )


def _details_html(status: int, found: Any) -> str:
    if status != 200:
        return f"<h4>Error fetching product details!</h4><p>{html.escape(found['error'])}</p>"
    rows = "".join(
        f"<dt>{html.escape(str(name))}</dt><dd>{html.escape(str(value))}</dd>" for name, value in found.items()
    )
    return f"<h4>Book Details</h4><dl>{rows}</dl>"


def _reviews_html(status: int, found: Any) -> str:
    if status != 200:
        return f"<h4>Error fetching product reviews!</h4><p>{html.escape(found['error'])}</p>"
    served = html.escape(f"Reviews served by: {found['podname']}")
    return f"<h4>Book Reviews</h4>{''.join(map(_review, found['reviews']))}<p>{served}</p>"


def _review(review: dict[str, Any]) -> str:
    rating = review.get("rating", {})
    if "error" in rating:
        stars = html.escape(rating["error"])
    else:  # the class is what scripts count that look for stars
        star = (
            f'<span class="glyphicon glyphicon-star" style="color:{html.escape(str(rating.get("color", "")))}">★</span>'
        )
        stars = star * int(rating.get("stars", 0))
    text, name = html.escape(review["text"]), html.escape(review["reviewer"])
    return f"<blockquote>{text}<small>{name}</small><div>{stars}</div></blockquote>"
