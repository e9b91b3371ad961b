"""Sends one mail after the other. Asked to end, it finishes the one that it has in hand."""

import itertools
import signal
import time
from pathlib import Path

VERSION = Path(__file__).with_name("VERSION").read_text().strip()

is_asked_to_end = False


def ask_to_end(*_):
    global is_asked_to_end
    is_asked_to_end = True


signal.signal(signal.SIGTERM, ask_to_end)
print(f"version {VERSION} begins", flush=True)
for number in itertools.count(1):
    print(f"mail {number} is being sent", flush=True)
    until = time.monotonic() + 2
    while time.monotonic() < until:
        time.sleep(0.1)
    print(f"mail {number} was sent", flush=True)
    if is_asked_to_end:
        break
print(f"version {VERSION} ends, nothing is left half done", flush=True)
