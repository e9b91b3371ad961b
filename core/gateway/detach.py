"""Runs a program that has no parent of ours: `python detach.py PROGRAM ARGUMENT...` prints its pid.

An Envoy that can hand over has itself ended together with the process that started it
(PR_SET_PDEATHSIG in its hot restart). It asks for that at its start; so whoever started it has to
be gone by then.

Standard library only: it runs before anything of ours is imported.
"""

from __future__ import annotations

import os
import sys


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
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606 - what it is for


if __name__ == "__main__":
    main()
