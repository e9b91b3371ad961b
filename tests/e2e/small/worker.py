"""A worker that always has a job in hand: asked to end, it finishes that first.

`JOB_S` is how long a job takes. `BROKEN` in the folder ends it at once.
"""

import os
import signal
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
VERSION = (HERE / "VERSION").read_text().strip()
JOB_S = float(os.environ.get("JOB_S", "0.2"))

is_asked_to_end = False


def say(text: str) -> None:
    sys.stdout.write(f"{VERSION} {os.getpid()} {text}\n")
    sys.stdout.flush()


def ask_to_end(*_: object) -> None:
    global is_asked_to_end
    is_asked_to_end = True


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, ask_to_end)
    say("up")
    if (HERE / "BROKEN").exists():
        sys.exit(7)
    number = 0
    while not is_asked_to_end:
        number += 1
        say(f"begin {number}")
        until = time.monotonic() + JOB_S
        while time.monotonic() < until:
            time.sleep(0.01)
        say(f"end {number}")
    say("down")
