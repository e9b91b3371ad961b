"""Finding the engine that tests run against, or starting one."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.engine import daemon, images, leftovers, machine
from tests.engine.client import asked
from tests.engine.place import SOCKET, STAYS, NoEngine, Use, locked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

NAMED = "COMPARTMENT_TEST_DOCKER"

HOW_TO_ENABLE = f"""\
As root on Debian, the tests start an engine of their own.
{NAMED}=/path/to/docker.sock names an engine that they may use; they touch only what they made."""


@dataclass(frozen=True, slots=True)
class Found:
    """An engine that answers and has the images that were asked for."""

    socket: str
    version: str
    seconds: float
    """What finding it took, or starting it, and making the images."""
    use: Use | None
    """Of the private engine, which may be mistreated; somebody else's may not."""

    def end(self) -> None:
        """Stops what was started for tests, once no other session uses it."""
        if self.use is not None:
            _end(self.use)


def find(environ: Mapping[str, str], names: Iterable[str], say: Callable[[str], None]) -> Found:
    """The engine that is named, else the private one, with these images on it.

    Raises:
        NoEngine: there is none, and why.
    """
    began = time.monotonic()
    wanted = dict.fromkeys([*images.BASIC, *names])
    if is_private(environ):
        use, version = _private(wanted, say)
        return Found(str(SOCKET), version, time.monotonic() - began, use)
    named = environ[NAMED]
    return Found(named, _checked(named, wanted), time.monotonic() - began, use=None)


def is_private(environ: Mapping[str, str]) -> bool:
    """Whether the tests' own engine is meant, and not somebody's that is named."""
    return environ.get(NAMED, "") in {"", str(SOCKET)}


def _private(names: Iterable[str], say: Callable[[str], None]) -> tuple[Use, str]:
    machine.check()
    use = Use()
    try:
        with locked():
            if daemon.process() is None:
                _start(say)
            with asked(str(SOCKET)) as client:
                if use.is_the_only_one():  # so what is there was left by a session that was killed
                    leftovers.remove(client)
                use.share()
                images.make(client, names, say)
                return use, str(client.version()["Version"])
    except BaseException:
        _end(use)
        raise


def _start(say: Callable[[str], None]) -> None:
    machine.install(say)
    say("starting a private engine")
    daemon.stop()  # what is left of one that was killed
    daemon.start()


def _end(use: Use) -> None:
    if not STAYS.exists() and use.is_the_only_one():
        with locked():
            daemon.stop()
    use.end()


def _checked(socket: str, names: Iterable[str]) -> str:
    """The version of somebody's engine, on which nothing is made unasked."""
    if not Path(socket).is_socket():
        raise NoEngine(f"{NAMED} is {socket}, which is no socket")
    with asked(socket) as client:
        version = str(client.version()["Version"])
        missing = images.missing(client, names)
    if missing:
        raise NoEngine(
            f"the engine at {socket} has no {' '.join(missing)}: pull what is missing, or have it"
            f" made of Debian's packages by `python -m tests.engine images {' '.join(names)}`"
        )
    return version


def stop() -> bool:
    """Stops the private engine; False: it is still used by a test session."""
    use = Use()
    try:
        if not use.is_the_only_one():
            return False
        with locked():
            STAYS.unlink(missing_ok=True)
            if daemon.process():
                with suppress(NoEngine), asked(str(SOCKET)) as client:
                    leftovers.remove(client)
            daemon.stop()
    finally:
        use.end()
    return True
