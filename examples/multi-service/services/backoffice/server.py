"""The backoffice: an API that answers every path with who it is and which path it saw.

People reach it through `web`: compartment.routes.yml sends `/api/orders` here as `/orders`.
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

SERVICE = os.environ.get("COMPARTMENT_SERVICE", "backoffice")
VERSION = Path(__file__).with_name("VERSION").read_text(encoding="utf-8").strip()
INSTANCE = os.environ.get("COMPARTMENT_DEPLOYMENT", f"pid-{os.getpid()}")
READINESS = "/ready"


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection, one after the other."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle(self):
        with contextlib.suppress(ConnectionError):  # the client has gone
            super().handle()

    def do_GET(self):
        identity = {"service": SERVICE, "version": VERSION, "instance": INSTANCE}
        body = json.dumps({**identity, "path": self.path}).encode() + b"\n"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_HEAD(self):
        self.do_GET()

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
    with Server(int(os.environ.get("PORT", "3001"))) as server:
        # stop() waits for serve_forever(), which this handler interrupts: hence the thread
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.stop).start())
        print(f"{SERVICE} {VERSION} listens on port {server.server_address[1]}", flush=True)
        server.serve_forever(poll_interval=0.1)
    print(f"{SERVICE} {VERSION} has finished", flush=True)


if __name__ == "__main__":
    main()
