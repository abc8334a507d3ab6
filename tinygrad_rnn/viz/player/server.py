"""A page and its answers, served to this machine alone.

Only the loopback interface listens.  The address holds a token that nobody can guess; what comes
without it, under another host's name (a page elsewhere whose name was bent to this machine), from a
page of another origin, or with more than a page ever asks, is refused before it is read.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

MOST_BYTES = 1 << 20  # of a question
_BEAT = 0.5  # seconds between signs of life to a page
_GRACE = 2.0  # seconds in which a page that was closed may come back: it was loaded anew
_PATIENCE = 30.0  # seconds for which a connection may say nothing
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Refusal(Exception):
    """Why a request is not answered."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


class Site(NamedTuple):
    """What is served: a page, and answers (JSON) to its questions (JSON)."""

    page: str
    answer: Callable[[Any], Any]


class Server:
    """A site on a free port of the loopback interface, in a thread of its own.

    Attributes
    ----------
    address : str
        Of the page, with its token.
    """

    def __init__(self, site: Site) -> None:
        self.token = secrets.token_urlsafe(24)
        self._http = _Http(("127.0.0.1", 0), _Handler)
        self._http.site, self._http.token, self._http.pages = site, self.token, Pages()
        self.port = int(self._http.server_address[1])
        self.address = f"http://127.0.0.1:{self.port}/{self.token}/"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Until the last page has been closed."""
        self._http.pages.wait()

    def close(self) -> None:
        """Stop; pages that are open notice it."""
        self._http.pages.end()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class Pages:
    """How many pages are open, and whether the server wants to go on."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._open, self._ever, self.ended = 0, False, False

    def come(self) -> None:
        """A page was opened."""
        with self._changed:
            self._open, self._ever = self._open + 1, True
            self._changed.notify_all()

    def go(self) -> None:
        """A page was closed."""
        with self._changed:
            self._open -= 1
            self._changed.notify_all()

    def end(self) -> None:
        """The server stops."""
        with self._changed:
            self.ended = True
            self._changed.notify_all()

    def rest(self) -> bool:
        """Wait for a beat; whether the server goes on."""
        with self._changed:
            return not self._changed.wait_for(lambda: self.ended, _BEAT)

    def wait(self) -> None:
        """Until pages have been open, and none is or comes back; or the server stops."""
        with self._changed:
            while not self.ended:
                # with a timeout, because without one Windows lets no Ctrl-C through
                if not self._changed.wait_for(self._are_gone, _BEAT):
                    continue
                if not self._changed.wait_for(lambda: self._open or self.ended, _GRACE):
                    return

    def _are_gone(self) -> bool:
        return self.ended or (self._ever and not self._open)


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    site: Site
    token: str
    pages: Pages

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A page that goes away in the middle of an answer is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "tinygrad_rnn", ""
    timeout = _PATIENCE
    disable_nagle_algorithm = True
    server: _Http

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the terminal, or the cell, is the program's."""

    def do_GET(self) -> None:
        """The page; or signs of life, for as long as it is open."""
        self._guarded(self._get)

    def do_POST(self) -> None:
        """An answer to a question of the page."""
        self._guarded(self._post)

    def _guarded(self, respond: Callable[[str], None]) -> None:
        try:
            respond(self._place())
        except Refusal as refusal:
            self.close_connection = True  # there may be a body that was not read
            self._send(refusal.status, "text/plain; charset=utf-8", str(refusal))

    def _place(self) -> str:
        """What is asked for below the token, if whoever asks may."""
        port = self.server.server_address[1]
        hosts = [f"{name}:{port}" for name in ("127.0.0.1", "localhost")]
        if self.headers.get_all("Host", []) not in [[host] for host in hosts]:
            raise Refusal(HTTPStatus.MISDIRECTED_REQUEST, "this is served to 127.0.0.1 alone")
        origin = self.headers.get("Origin")
        if origin is not None and origin != f"http://{self.headers['Host']}":
            raise Refusal(HTTPStatus.FORBIDDEN, "another origin may not ask")
        _, token, place = (*self.path.split("/", 2), "", "")[:3]
        if not secrets.compare_digest(token.encode(), self.server.token.encode()):
            raise Refusal(HTTPStatus.FORBIDDEN, "the address lacks its token")
        return place

    def _get(self, place: str) -> None:
        if place == "":
            self._send(HTTPStatus.OK, "text/html; charset=utf-8", self.server.site.page)
        elif place == "here":
            self._live()
        else:
            raise Refusal(HTTPStatus.NOT_FOUND, "there is no such page")

    def _live(self) -> None:
        """Events without an end: the page sees when they break off, and so do we."""
        self.close_connection = True
        self._begin(HTTPStatus.OK, "text/event-stream", None)
        pages = self.server.pages
        pages.come()
        try:
            while pages.rest():
                self.wfile.write(b": here\n\n")
        except OSError:
            pass  # it has been closed
        finally:
            pages.go()

    def _post(self, place: str) -> None:
        if place != "again":
            raise Refusal(HTTPStatus.NOT_FOUND, "there is nothing to ask")
        if "Origin" not in self.headers:
            raise Refusal(HTTPStatus.FORBIDDEN, "only the page may ask")
        if self.headers.get_content_type() != "application/json":
            raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "a question is JSON")
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            raise Refusal(HTTPStatus.LENGTH_REQUIRED, "a question says how long it is")
        if len(length) > 9 or int(length) > MOST_BYTES:
            raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the question is too long")
        body = self.rfile.read(int(length))
        try:
            answer = self.server.site.answer(json.loads(body))
        except (ValueError, RuntimeError, RecursionError) as error:
            raise Refusal(HTTPStatus.BAD_REQUEST, str(error)) from error
        self._send(HTTPStatus.OK, "application/json", json.dumps(answer, ensure_ascii=False))

    def _send(self, status: HTTPStatus, kind: str, text: str) -> None:
        body = text.encode()
        self._begin(status, kind, len(body))
        self.wfile.write(body)

    def _begin(self, status: HTTPStatus, kind: str, length: int | None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if length is not None:
            self.send_header("Content-Length", str(length))
        if self.close_connection:
            self.send_header("Connection", "close")
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
