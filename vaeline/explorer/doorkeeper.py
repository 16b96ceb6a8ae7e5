"""What the explorer's server refuses before the page sees it: foreign pages, unknown paths, and what no browser needs to send."""

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

PATHS = ("/", "/page.css", "/favicon.ico", "/report.html")
FILES, CONNECTION = "/_nicegui/", "/_nicegui_ws/socket.io/"  # of NiceGUI
LONGEST_PATH = 255  # characters, the longest name of a file on most systems
MOST_BYTES = 1_000_000  # of a message; the page sends a few hundred
OWN = (None, "same-origin", "none")  # who asks, as Sec-Fetch-Site says: an old browser, our page, or the address bar


class Doorkeeper:
    """An ASGI application that lets requests of the explorer's own page through to another one.

    Every website that a person visits can send requests to 127.0.0.1. A browser names the website in the header Origin,
    which must be the address that the request is sent to. Middleware against foreign host names makes that address ours.

    Args:
        app: gets the requests that are let through.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            refused = _why_refused(scope)
            if refused is not None:
                await _refuse(refused, scope, receive, send)
                return
        await self.app(scope, receive, send)


def _why_refused(scope: Scope) -> HTTPStatus | None:
    headers = Headers(scope=scope)
    if _is_foreign(headers):
        return HTTPStatus.FORBIDDEN
    if not (scope["path"] == CONNECTION if scope["type"] == "websocket" else _is_known(scope)):
        return HTTPStatus.NOT_FOUND
    if scope["type"] == "http" and scope["method"] not in ("GET", "HEAD"):
        return HTTPStatus.METHOD_NOT_ALLOWED
    if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return None


def _is_foreign(headers: Headers) -> bool:
    """Whether another website sends a request. Its link to the page may be followed, but it may not load or frame the page."""
    own = f"http://{headers.get('host')}"
    if any(origin != own for origin in headers.getlist("origin")):
        return True
    return headers.get("sec-fetch-site") not in OWN and headers.get("sec-fetch-dest") != "document"


def _is_known(scope: Scope) -> bool:
    """Whether a path is one of the page's or of NiceGUI's files. NiceGUI answers every other path with the page."""
    if scope["path"] in PATHS:
        return True
    could_be_a_file = "\0" not in scope["path"] and len(scope["path"]) <= LONGEST_PATH
    routes = scope["app"].routes if could_be_a_file and scope["path"].startswith(FILES) else ()
    return any(route.matches(scope)[0] is not Match.NONE for route in routes)


async def _refuse(status: HTTPStatus, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})  # before it was accepted: the server answers 403
        return
    answer = PlainTextResponse(f"{status} {status.phrase}\n", status, {"Connection": "close"})
    await answer(scope, receive, send)
