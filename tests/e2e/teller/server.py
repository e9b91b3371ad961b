"""A web application that tells its secret in every way in which programs do so by mistake."""

import hashlib
import json
import os
import sys
import traceback
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import quote

SECRET = os.environ.get("SECRET", "")


class Handler(BaseHTTPRequestHandler):
    """Answers with a hash of the secret, or with what the build left of it."""

    def do_GET(self) -> None:
        name = b"IMPORTED" if self.path == "/imported" else b"SECRET"
        body = hashlib.sha256(os.environb.get(name, b"")).hexdigest().encode()
        if self.path == "/built":
            body = Path("built.txt").read_bytes()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def tell() -> None:
    """Prints it, and logs it with a traceback."""
    lines = (
        f"whole: {SECRET}",
        f"json: {json.dumps({'secret': SECRET})}",
        f"url: https://example.invalid/?key={quote(SECRET)}",
        f"long: {'x' * 16_000}{SECRET}",
    )
    sys.stdout.writelines(f"{line}\n" for line in lines)
    try:
        check()
    except ValueError:
        traceback.print_exc()


def check() -> None:
    """Quotes what it does not like."""
    raise ValueError(SECRET)


if __name__ == "__main__":
    tell()
    if Path("fails").exists():
        raise SystemExit(f"cannot start with {SECRET}")
    HTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()
