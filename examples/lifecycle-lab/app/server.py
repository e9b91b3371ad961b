"""The lab's entry point: fails at the start if told to, else listens on PORT and serves."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time

from settings import Settings, WrongSetting, read_settings

STARTED = time.monotonic()


def main() -> None:
    try:
        settings = read_settings(os.environ)
    except WrongSetting as wrong:
        sys.exit(f"lab: {wrong}")
    if settings.exit_at_start is not None:
        print(f"lab: exits at once with {settings.exit_at_start}", file=sys.stderr)
        sys.exit(settings.exit_at_start)
    if settings.term_mode == "ignore":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    boot(settings)
    listener = listen(settings)
    # Listens before asyncio is imported, which takes longer than all the rest of the start:
    # who connects meanwhile waits in the backlog instead of being refused.
    from lab import run

    run(settings, listener, started=STARTED)


def boot(settings: Settings) -> None:
    """Take as long as told, or crash on the way."""
    delay, crash = settings.boot_delay_ms or 0, settings.crash_after_ms
    if crash is not None and crash < delay:
        time.sleep(crash / 1000)
        raise RuntimeError("the lab was told to crash while it starts")
    time.sleep(delay / 1000)


def listen(settings: Settings) -> socket.socket:
    port = settings.listen_port
    if port is None:
        port = int(os.environ.get("PORT", "3000"))
    bind = settings.bind or os.environ.get("HOST", "127.0.0.1")
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((bind, port))
    listener.listen(1024)
    return listener


if __name__ == "__main__":
    main()
