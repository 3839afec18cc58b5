"""A publisher's website, as small as can be: a real server on the machine that responds to every path with a page.

It goes by the name localhost, which is another site than 127.0.0.1, where Stamkund runs: to a browser the two have as
little to do with each other as two domains.
"""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlsplit

PAGE = b"""<!DOCTYPE html><html lang="en"><head><title>Herald</title><link rel="icon" href="data:,"></head>
<body><h1>The Herald</h1></body></html>"""


class LocalSite:
    """Use as a context manager. `visits`: path and query of each request, in their order."""

    def __init__(self) -> None:
        self.visits: list[tuple[str, dict[str, str]]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                site.visits.append((parts.path, dict(parse_qsl(parts.query, keep_blank_values=True))))
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(PAGE)))
                self.end_headers()
                self.wfile.write(PAGE)

            def log_message(self, format: str, *arguments: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,))
        self.origin = f"http://localhost:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
