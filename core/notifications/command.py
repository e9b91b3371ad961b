"""Telling by a command."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Final

from core.config.document import harmless
from core.config.patterns import RESERVED_VARIABLES
from core.notifications.failure import NotTold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.notifications.message import Body, Facts

_PASSED_ON: Final = (
    *("PATH", "HOME", "USER", "LANG", "TMPDIR"),
    # So that it may call `compartment`.
    *("COMPARTMENT_HOME", "COMPARTMENT_CONFIG"),
)
_READ_BYTES: Final = 2000


async def run(command: Sequence[str], facts: Facts, body: Body, timeout_s: float) -> None:
    """Runs it once, without a shell, with the body as its input and the fields as variables.

    What it leaves running when it ends in time is its own; at the time-out all of it is ended.

    Raises:
        NotTold: it cannot be started, takes too long, or ends with another exit code than 0.
    """
    # Files instead of pipes: who never reads does not hold us up, nor does who never closes.
    with TemporaryFile() as given, TemporaryFile() as said:
        given.write(body.content)
        given.seek(0)
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=given,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=said,
                cwd="/",
                env=_environment(facts),
                start_new_session=True,
            )
        except OSError as error:
            raise NotTold(f"cannot be started: {error.strerror}", is_final=True) from None
        try:
            async with asyncio.timeout(timeout_s):
                code = await process.wait()
        except TimeoutError:
            raise NotTold(f"has not ended within {timeout_s:g} s") from None
        finally:
            await _end(process)
        if code != 0:
            raise NotTold(f"{_how(code)}{_last_line(said)}")


def _environment(facts: Mapping[str, object]) -> dict[str, str]:
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    told = {
        f"{RESERVED_VARIABLES}{name.upper()}": "" if value is None else str(value)
        for name, value in facts.items()
    }
    return {name: value.replace("\0", " ") for name, value in {**passed, **told}.items()}


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ends it with all that it has started, if it has not ended by itself."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _how(code: int) -> str:
    return f"ended with exit code {code}" if code > 0 else f"was ended by signal {-code}"


def _last_line(said: IO[bytes]) -> str:
    said.seek(max(0, os.fstat(said.fileno()).st_size - _READ_BYTES))
    lines = said.read().decode(errors="replace").strip().splitlines()
    return f": {harmless(lines[-1].strip())}" if lines else ""
