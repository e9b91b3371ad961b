"""A shop: visits are counted in Redis, orders are kept in PostgreSQL."""

import json
import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import redis
from database import Pool

VERSION = Path(__file__).with_name("VERSION").read_text().strip()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/":
            seen = self.server.cache.incr("visits")
            self._answer(200, {"version": VERSION, "visits": seen, **self._asked_by()})
        elif self.path == "/orders/count":
            (count,) = self.server.pool.run("SELECT count(*) FROM orders")
            self._answer(200, {"version": VERSION, "orders": count})
        else:
            self._answer(404, {"error": "there is no such page"})

    def do_POST(self):
        what = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.path == "/orders":
            (number,) = self.server.pool.run(
                "INSERT INTO orders (what) VALUES (%s) RETURNING id", what
            )
            self._answer(201, {"version": VERSION, "order": number})
        else:
            self._answer(404, {"error": "there is no such page"})

    def _asked_by(self):
        names = {"host": "Host", "client": "X-Real-IP", "scheme": "X-Forwarded-Proto"}
        return {key: self.headers[name] for key, name in names.items()}

    def _answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Says nothing of each request: nginx does."""


class Server(ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(self):
        self.pool = Pool()
        self.cache = redis.Redis(os.environ["REDIS_HOST"])
        super().__init__(("", 3000), Handler)


def main():
    server = Server()
    # In a thread of its own, because shutdown() waits for what it is called from here.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"version {VERSION} listens")
    server.serve_forever()
    server.pool.close()


main()
