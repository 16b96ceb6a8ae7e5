"""What the explorer's server refuses before the page sees it: foreign pages, unknown paths, and large bodies."""

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATHS = ("/", "/page.css", "/favicon.ico")
BELOW = ("/_nicegui/", "/_nicegui_ws/")  # files of NiceGUI, and its connection
CONNECTION = BELOW[1]
MOST_BYTES = 1_000_000  # of a body or message; the page sends a few hundred


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
            if refused is None and scope["type"] == "http":
                refused, receive = await _read_body(receive)
            if refused is not None:
                await _refuse(refused, scope, receive, send)
                return
        await self.app(scope, receive, send)


def _why_refused(scope: Scope) -> HTTPStatus | None:
    headers, path = Headers(scope=scope), scope["path"]
    origin = headers.get("origin")
    if origin is not None and origin != f"http://{headers.get('host')}":
        return HTTPStatus.FORBIDDEN
    if path not in PATHS and not path.startswith(BELOW):
        return HTTPStatus.NOT_FOUND
    if scope["type"] == "http" and scope["method"] not in ("GET", "HEAD") and not path.startswith(CONNECTION):
        return HTTPStatus.METHOD_NOT_ALLOWED
    length = headers.get("content-length", "0")
    if not (length.isdecimal() and len(length) < 20 and int(length) <= MOST_BYTES):
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return None


async def _read_body(receive: Receive) -> tuple[HTTPStatus | None, Receive]:
    """Read a body, whose length a client need not name.

    Returns:
        Why it is refused, or None; and what hands the read messages on, and then those to come.
    """
    messages: list[Message] = []
    left = MOST_BYTES
    while not messages or messages[-1].get("more_body", False):
        messages.append(await receive())
        if messages[-1]["type"] == "http.disconnect":
            return HTTPStatus.BAD_REQUEST, receive
        left -= len(messages[-1].get("body", b""))
        if left < 0:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, receive

    async def again() -> Message:
        return messages.pop(0) if messages else await receive()

    return None, again


async def _refuse(status: HTTPStatus, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})  # before it was accepted: the server answers 403
        return
    answer = PlainTextResponse(f"{status} {status.phrase}\n", status, {"Connection": "close"})
    await answer(scope, receive, send)
