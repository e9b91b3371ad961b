"""The front end: a page for browsers at `/`, and JSON that says who it is for everyone else.

The page calls `/api/orders`, which compartment.routes.yml sends on to the backoffice.
"""

import contextlib
import json
import os
import signal
import socket
import socketserver
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

SERVICE = os.environ.get("COMPARTMENT_SERVICE", "web")
VERSION = Path(__file__).with_name("VERSION").read_text(encoding="utf-8").strip()
INSTANCE = os.environ.get("COMPARTMENT_DEPLOYMENT", f"pid-{os.getpid()}")
PAGE = Path(__file__).with_name("index.html").read_bytes()
READINESS = "/healthz"


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection, one after the other."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle(self):
        with contextlib.suppress(ConnectionError):  # the client has gone
            super().handle()

    def do_GET(self):
        if self.path == "/" and "text/html" in self.headers.get("Accept", ""):
            self.send("text/html; charset=utf-8", PAGE)
        else:
            identity = {"service": SERVICE, "version": VERSION, "instance": INSTANCE}
            reply = json.dumps({**identity, "path": self.path})
            self.send("application/json", reply.encode() + b"\n")

    def do_HEAD(self):
        self.do_GET()

    def send(self, content_type, body):
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_request(self, code="-", *_):
        if self.path != READINESS:
            print(f"{self.command} {self.path} {int(code)}", flush=True)


class Server(socketserver.ThreadingTCPServer):
    """One thread per connection; leaving its `with` block waits for every thread."""

    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, port):
        self.connections = set()
        super().__init__((os.environ.get("HOST", "127.0.0.1"), port), Handler)

    def get_request(self):
        connection, address = super().get_request()
        self.connections.add(connection)
        return connection, address

    def shutdown_request(self, request):
        self.connections.discard(request)
        super().shutdown_request(request)

    def stop(self):
        """Accept nothing more and end the idle connections; requests under way finish."""
        self.shutdown()
        for connection in list(self.connections):
            with contextlib.suppress(OSError):  # closed by the other side meanwhile
                connection.shutdown(socket.SHUT_RD)


def main():
    with Server(int(os.environ.get("PORT", "3000"))) as server:
        # stop() waits for serve_forever(), which this handler interrupts: hence the thread
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.stop).start())
        print(f"{SERVICE} {VERSION} listens on port {server.server_address[1]}", flush=True)
        server.serve_forever(poll_interval=0.1)
    print(f"{SERVICE} {VERSION} has finished", flush=True)


if __name__ == "__main__":
    main()
