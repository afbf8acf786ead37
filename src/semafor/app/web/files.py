"""The page's own files, as `ui/` was built into the package."""

import html
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

BUILT = Path(__file__).parent / "dist"
_NONCE = "STYLE-NONCE"  # in ui/index.html
_UNBUILT = (
    "<!doctype html><meta charset=utf-8><title>Semafor</title><h1>The page has not been built</h1>"
    "<p>This Semafor runs from a source tree without its built page. Type <code>make setup</code> (or "
    "<code>pip install .</code>) in that tree, then <code>semafor down</code> and <code>semafor up</code>."
)


def routes(folder: Path = BUILT) -> tuple[BaseRoute, ...]:
    """Files, and for every other path the page itself, which knows its own addresses."""

    async def page(request: Request) -> Response:
        try:
            text = (folder / "index.html").read_text("utf-8")
        except FileNotFoundError:
            return HTMLResponse(_UNBUILT, status_code=503)
        return HTMLResponse(text.replace(_NONCE, html.escape(request.state.style_nonce)))

    async def health(_: Request) -> Response:
        return PlainTextResponse("ok")

    async def missing(_: Request) -> Response:
        return PlainTextResponse("not found", status_code=404)

    return (
        Route("/healthz", health),
        Route("/kiali/healthz", health),
        Mount("/assets", StaticFiles(directory=folder / "assets", check_dir=False)),
        Route("/api/{path:path}", missing),
        Route("/{path:path}", page),
    )
