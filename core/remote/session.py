"""One ssh connection that carries everything: it finds the agent, and forwards its socket.

The connection runs one command on the server: the agent is found or started and tells where it
is, then `cat` waits for the end of its input. So the connection lasts as long as this process,
which holds the other end, however it dies. The command is plain words, which every login shell
reads alike.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from contextlib import suppress
from subprocess import PIPE
from typing import TYPE_CHECKING, Any, Final

from core import __version__
from core.agent.protocol import error_from_json
from core.remote.refusals import not_forwarded, refusal, too_old

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from pathlib import Path

    from core.errors import CompartmentError
    from core.remote.server import Server

Json = dict[str, Any]

_CONNECT_TIMEOUT_S: Final = 15
_ANSWER_TIMEOUT_S: Final = 120.0
"""For all that needs no person: an agent that starts may take a minute."""
_END_TIMEOUT_S: Final = 2.0
_CHUNK_BYTES: Final = 65_536

_OPTIONS: Final = (
    f"ConnectTimeout={_CONNECT_TIMEOUT_S}",
    # A connection that is dead without a word is noticed within 15 s.
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    "Compression=yes",
    "ControlPersist=no",
    "ForwardX11=no",
    "ForwardAgent=no",
    "ClearAllForwardings=yes",
    "StreamLocalBindUnlink=yes",
    "EscapeChar=none",
    "RequestTTY=no",
)

# Ctrl-C is for the command, which has something to say to the agent: ssh must outlive it. It asks
# for passwords on the terminal, so that it cannot have a session of its own.
_DEAF: Final = 'trap "" INT QUIT; exec "$@"'

_FIND: Final = "compartment agent status --output json && cat"
_START: Final = "compartment agent start --output json && cat"


class Session:
    """A connection to a server, in a private folder of its own that `close` removes."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.socket = folder / "a"
        self._server = server
        self._folder = folder
        self._control = folder / "c"
        self._errors = folder / "e"
        self._process: Process | None = None

    @property
    def is_up(self) -> bool:
        """Whether ssh still runs."""
        return self._process is not None and self._process.returncode is None

    @property
    def said(self) -> str:
        """What ssh said on its standard error."""
        with suppress(OSError):
            return self._errors.read_text("utf-8", errors="replace")
        return ""

    async def open(self, *, start: bool, may_ask: bool) -> None:
        """Connects and forwards the agent's socket.

        Args:
            start: Whether an agent is started where none runs.
            may_ask: Whether ssh may ask the person at the terminal.

        Raises:
            AgentUnavailable: ssh cannot connect; there is no `compartment`, or no agent.
            CompartmentError: what `compartment` said there.
        """
        options = [*_OPTIONS, f"BatchMode={'no' if may_ask else 'yes'}", "ControlMaster=yes"]
        command = self._ssh(options, _START if start else _FIND)
        with self._errors.open("wb") as errors:
            self._process = await asyncio.create_subprocess_exec(
                "sh", "-c", _DEAF, "sh", *command, stdin=PIPE, stdout=PIPE, stderr=errors
            )
        try:
            async with asyncio.timeout(None if may_ask else _ANSWER_TIMEOUT_S):
                about = await self._about(self._process)
        except TimeoutError:
            raise refusal(self._server, 255, "the agent's answer timed out") from None
        if "error" in about:
            raise self._told(about["error"])
        if "socket" not in about:
            raise too_old(self._server, str(about.get("version")), __version__)
        await self._forward(str(about["socket"]))

    async def close(self) -> None:
        """Ends the connection; nothing of it is left."""
        process = self._process
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                process.terminate()
            try:
                async with asyncio.timeout(_END_TIMEOUT_S):
                    await process.wait()
            except TimeoutError:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process is not None and process.stdin is not None:
            process.stdin.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _ssh(self, options: list[str], *words: str) -> list[str]:
        port = [] if self._server.port is None else ["-p", str(self._server.port)]
        control = str(self._control).replace("%", "%%")
        every = [*options, f"ControlPath={control}"]
        given = [word for option in every for word in ("-o", option)]
        return ["ssh", *given, *port, "--", self._server.destination, *words]

    async def _about(self, process: Process) -> Json:
        """What the agent says of itself; a login shell may say something before it."""
        assert process.stdout is not None
        said = b""
        while chunk := await process.stdout.read(_CHUNK_BYTES):
            said += chunk
            found = _document(said)
            if found is not None:
                return found
        code = await process.wait()
        raise refusal(self._server, code, self.said)

    async def _forward(self, socket: str) -> None:
        words = self._ssh(["ControlMaster=no"])
        # Without the person's configuration, which may name forwardings of its own; before the two
        # dashes and the destination.
        words[-2:-2] = ["-F", "none", "-O", "forward", "-L", f"{self.socket}:{socket}"]
        process = await asyncio.create_subprocess_exec(*words, stdout=PIPE, stderr=PIPE)
        _, errors = await process.communicate()
        if process.returncode:
            raise not_forwarded(self._server, errors.decode(errors="replace"))

    def _told(self, error: Json) -> CompartmentError:
        found = error_from_json(error)
        found.message = f"{self._server}: {found.message}"
        return found


def _document(said: bytes) -> Json | None:
    """The first JSON document at the beginning of a line, once it is complete."""
    text = said.decode("utf-8", errors="replace")
    start = 0 if text.startswith("{") else text.find("\n{") + 1
    if start == 0 and not text.startswith("{"):
        return None
    try:
        found, _ = json.JSONDecoder().raw_decode(text[start:])
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def has_terminal() -> bool:
    """Whether there is a person who could be asked for a password."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
