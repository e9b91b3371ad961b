"""Signs what it is asked for: GET /NAME answers with a token for that name."""

import hmac
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = os.environ["JWT_SECRET"].encode()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.removeprefix("/").encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(name + b":" + hmac.digest(SECRET, name, "sha256").hex().encode())


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
ThreadingHTTPServer(("", 8000), Handler).serve_forever()
