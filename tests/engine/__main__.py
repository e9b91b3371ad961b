"""`python -m tests.engine start | stop | status | images [NAME...]`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from tests.engine import daemon, images
from tests.engine.client import asked
from tests.engine.found import NAMED, find, is_private, stop
from tests.engine.place import SOCKET, STATE, STAYS, NoEngine

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Does one of the verbs; returns the exit code."""
    verbs = {"start": _start, "stop": _stop, "status": _status, "images": _images}
    verb, *names = arguments or ["status"]
    if verb not in verbs or (names and verb != "images"):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        return verbs[verb](names)
    except NoEngine as error:
        print(error, file=sys.stderr)
        return 1


def _start(names: Sequence[str]) -> int:
    """Until `stop`: test sessions use it, and leave it running."""
    found = find(os.environ, names, print)
    if found.use:
        STAYS.touch()
    found.end()
    print(f"Docker Engine {found.version} at {found.socket} after {found.seconds:.1f} s")
    return 0


def _stop(_names: Sequence[str]) -> int:
    if not STATE.exists() or STATE.stat().st_uid != os.getuid() or stop():
        return 0
    print("a test session uses the engine: it stops it at its end", file=sys.stderr)
    return 1


def _status(_names: Sequence[str]) -> int:
    if running := daemon.process():
        print(f"running: process {running.pid}, {SOCKET}")
        return 0
    print("not running")
    return 1


def _images(names: Sequence[str]) -> int:
    """All of them, if none is named; also on somebody's engine, if that is meant."""
    known = [recipe.name for recipe in images.recipes()]
    if unknown := set(names) - set(known):
        raise NoEngine(f"no such image: {' '.join(unknown)}; there are {' '.join(known)}")
    if is_private(os.environ):
        return _start(names or known)
    with asked(os.environ[NAMED]) as client:
        images.make(client, names or known, print)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
