"""The web server of the explorer. It accepts connections from this machine only."""

from pathlib import Path

from nicegui import app, ui
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import FileResponse, PlainTextResponse, Response

from vaeline.explorer.doorkeeper import MOST_BYTES, Doorkeeper
from vaeline.explorer.page import Page
from vaeline.explorer.views import Explorer

HOST = "127.0.0.1"
# The report's script works, but has no origin, so that it cannot talk to the page's server: results may come from other people.
SANDBOX = {"Content-Security-Policy": "sandbox allow-scripts allow-downloads"}
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><rect width="8" height="8" rx="1.5" fill="#14674e"/>'
    '<path d="M2 2h2v2H2zM4 4h2v2H4z" fill="#fff"/></svg>'
)


def serve(explorer: Explorer, port: int, show: bool) -> None:
    """Serve the page until the process is interrupted.

    Args:
        explorer: draws the pictures.
        port: a free port.
        show: open the page in a browser.
    """
    # A website may point its own host name at 127.0.0.1 (DNS rebinding); only our names are answered.
    app.add_middleware(Doorkeeper)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])
    app.add_static_file(local_file=Path(__file__).parent / "page.css", url_path="/page.css")
    app.get("/report.html")(lambda: _report(explorer.runs.report))
    app.config.socket_io_js_transports = ["websocket"]  # the other one, polling, needs requests with bodies
    ui.run(
        lambda: Page(explorer, ui.context.client.request.query_params.multi_items()),
        host=HOST,
        port=port,
        title=f"{explorer.runs.study} – vaeline explorer",
        favicon=ICON,
        dark=None,
        reload=False,
        show=show,
        tailwind=False,
        show_welcome_message=False,
        ws_max_size=MOST_BYTES,
    )


def _report(path: Path | None) -> Response:
    return (
        FileResponse(path, headers=SANDBOX) if path else PlainTextResponse("There is no report of this study.\n", 404)
    )
