"""How a client stays with its backend. Source: the Gateway API's reference."""

from typing import Annotated, Literal

from semafor.base.struct import Document
from semafor.resources.marks import GATEWAY_DURATION


class CookieConfig(Document):
    """A cookie that keeps a client with its backend."""

    name: Annotated[str | None, "Name of the cookie."] = None
    path: Annotated[str, "Path of the cookie."] = "/"
    lifetime_type: Annotated[Literal["Permanent", "Session"], "Whether it outlives the browser."] = "Session"


class HeaderConfig(Document):
    """A header that keeps a client with its backend."""

    name: Annotated[str, "Name of the header."]


class SessionPersistence(Document):
    """How a client stays with its backend."""

    absolute_timeout: Annotated[str | None, GATEWAY_DURATION, "Longest time that it stays."] = None
    type: Annotated[Literal["Cookie", "Header"], "By a cookie or by a header."] = "Cookie"
    cookie: Annotated[CookieConfig | None, "Settings of the cookie."] = None
    header: Annotated[HeaderConfig | None, "Settings of the header."] = None
