"""A service that calls another one all the time, as an application with a pooled client would.

It looks the name up once, keeps one connection open, and never tries a call a second time. A
connection that the other side has closed between two calls is opened again, as every pool does.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

PAUSE_S = 1 / float(os.environ.get("CALLS_PER_SECOND", "100"))
CALLED = urlsplit(os.environ[os.environ.get("CALLS", "BACKOFFICE_URL")])


class Calls:
    """What was called, and what became of it."""

    def __init__(self) -> None:
        self.answered: dict[str, int] = {}
        self.errors: list[str] = []
        self.address = ""

    def go_on(self) -> None:
        """Calls for ever."""
        self.address = self._looked_up()
        pooled = http.client.HTTPConnection(self.address, CALLED.port or 80, timeout=10)
        while True:
            began = time.monotonic()
            self._call(pooled)
            time.sleep(max(0.0, PAUSE_S - (time.monotonic() - began)))

    def _looked_up(self) -> str:
        while True:
            try:
                return socket.gethostbyname(CALLED.hostname or "")
            except OSError:
                time.sleep(0.05)

    def _call(self, pooled: http.client.HTTPConnection) -> None:
        try:
            pooled.request("GET", "/whoami", headers={"Host": "shop.example"})
            reply = pooled.getresponse()
            body = reply.read()
        except (http.client.HTTPException, OSError) as error:
            pooled.close()
            self.errors.append(f"{type(error).__name__}: {error}")
            return
        if reply.status != 200:
            self.errors.append(f"{reply.status} {body[:100]!r}")
            return
        version = str(json.loads(body)["version"])
        self.answered[version] = self.answered.get(version, 0) + 1


CALLS = Calls()


class Handler(BaseHTTPRequestHandler):
    """Ready once a call was answered; `/calls` tells all, and forgets the errors so far."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/up" and not CALLS.answered:
            self._reply(503, {})
        elif self.path == "/calls":
            found = {"answered": CALLS.answered, "errors": CALLS.errors, "address": CALLS.address}
            self._reply(200, found)
        elif self.path == "/forget":
            CALLS.errors = []
            self._reply(200, {})
        else:
            self._reply(200, {"version": os.environ.get("COMPARTMENT_DEPLOYMENT", "")})

    def _reply(self, status: int, found: object) -> None:
        body = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


if __name__ == "__main__":
    threading.Thread(target=CALLS.go_on, daemon=True).start()
    ThreadingHTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()
