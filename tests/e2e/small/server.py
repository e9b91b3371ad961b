"""A small web application: it says who it is, and misbehaves when it is asked to."""

import json
import os
import signal
import socket
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SICK = Path("/tmp/sick")
"""While it is there, a check of the image's own finds something wrong."""

BOOT_S = float(os.environ.get("BOOT_S", "0"))
"""Each of three neighbours takes another multiple of this until it listens."""


class Handler(BaseHTTPRequestHandler):
    """Answers every path with the same; some of them do something first."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path, _, argument = self.path.lstrip("/").partition("/")
        if path == "crash":
            os._exit(3)
        elif path == "sick":
            SICK.touch()
        elif path == "well":
            SICK.unlink()
        elif path == "slow":
            time.sleep(float(argument))
        body = json.dumps(ABOUT).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def end(number: int, _frame: object) -> None:
    say(f"got {signal.Signals(number).name}")
    if "STUBBORN" not in os.environ:
        sys.exit(0)


def port() -> int:
    return int(os.environ["PORT"])


if __name__ == "__main__":
    for each in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(each, end)
    address = socket.gethostbyname(socket.gethostname())
    time.sleep(BOOT_S * (int(address.rpartition(".")[2]) % 3))
    server = ThreadingHTTPServer(("0.0.0.0", port()), Handler)
    ABOUT = {
        "host": socket.gethostname(),
        "version": Path(__file__).with_name("VERSION").read_text().strip(),
        "environment": dict(os.environ),
        "listening": time.time(),
    }
    say(f"listens on {port()}")
    server.serve_forever()
