"""Runs a program that has no parent of ours: `python detach.py PROGRAM ARGUMENT...` prints its pid.

An Envoy that can hand over has itself ended together with the process that started it
(PR_SET_PDEATHSIG in its hot restart). It asks for that at its start; so whoever started it has to
be gone by then.

Standard library only: it runs before anything of ours is imported.
"""

from __future__ import annotations

import os
import resource
import sys
from contextlib import suppress


def main() -> None:
    """Starts the program in a session of its own."""
    parent = os.getpid()
    alive, ended = os.pipe()
    pid = os.fork()
    if pid:
        os.write(1, f"{pid}\n".encode())
        # The end of this process closes its side of the pipe, and only that does.
        os._exit(0)
    os.close(ended)
    os.setsid()
    os.read(alive, 1)
    while os.getppid() == parent:
        # It has closed its files, and is about to be gone.
        os.sched_yield()
    os.dup2(2, 1)
    _open_many_files()
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606 - what it is for


def _open_many_files() -> None:
    """A connection is a file, and what a login allows is no measure for a gateway."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Where there is no limit, some systems still have one.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    main()
