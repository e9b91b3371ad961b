"""A service that is as well as it is told to be; its moods outlast its own end."""

import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

MOOD = Path(f"/tmp/{os.environ['COMPARTMENT_DEPLOYMENT']}-{os.environ['COMPARTMENT_SERVICE']}")
"""The status of /healthz and how long it takes, in seconds; or `doomed` and how many starts."""


class Handler(BaseHTTPRequestHandler):
    """Answers well, but for /healthz; some paths do something else first."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        verb, *words = self.path.strip("/").split("/")
        status = 200
        if verb == "healthz":
            said, delay = MOOD.read_text().split() if MOOD.exists() else ("200", "0")
            time.sleep(float(delay))
            status = int(said)
        elif verb == "mood":
            part = MOOD.with_suffix(".new")
            part.write_text(" ".join(words))
            part.replace(MOOD)
        elif verb == "status":
            status = int(words[0])
        elif verb == "crash":
            os._exit(3)
        elif verb == "hang":
            stopped = f"sleep 0.05; kill -STOP {os.getpid()}; sleep {words[0]}"
            subprocess.Popen(["sh", "-c", f"{stopped}; kill -CONT {os.getpid()}"])
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    mood, _, starts = MOOD.read_text().partition(" ") if MOOD.exists() else ("", "", "")
    if mood == "doomed":
        MOOD.unlink()
        if int(starts) > 1:
            MOOD.write_text(f"doomed {int(starts) - 1}")
        sys.exit(1)
    ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
