"""The door to the agent of a server."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from core.remote.refusals import not_forwarded
from core.remote.session import Session, has_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from core.files import Home
    from core.gateway.table import Ports
    from core.remote.server import Server

_LOOK_AGAIN_S: Final = 0.25
_PROBE_TIMEOUT_S: Final = 10.0
_numbers: Final = itertools.count()


class SshDoor:
    """To the agent of whoever logs in to a server.

    Args:
        server: Where it is.
        home: The folder on this machine below which sockets are made.
        asks_again: Whether ssh may ask the person when it connects once more: under a dashboard
            there is no place for a question.
    """

    def __init__(self, server: Server, home: Home, *, asks_again: bool = True) -> None:
        self._server = server
        self._home = home
        self._may_ask = has_terminal()
        self._asks_again = asks_again
        # Short: ssh adds 17 characters to it for a while.
        self._folder = home.sockets / f"s{os.getpid()}.{next(_numbers)}"
        self._session: Session | None = None

    @property
    def server(self) -> str:
        """As the person named it."""
        return str(self._server)

    @property
    def socket(self) -> Path:
        """The near end of what is forwarded."""
        return self._folder / "a"

    async def open(self, *, start: bool) -> None:
        """Connects, unless that is done already."""
        if self._session is not None and self._session.is_up:
            return
        await self.close()
        self._home.make_sockets()
        _sweep(self._home.sockets)
        self._folder.mkdir(mode=0o700)
        self._session = Session(self._server, self._folder)
        await self._session.open(start=start, may_ask=self._may_ask)
        self._may_ask = self._may_ask and self._asks_again
        if not await self._answers():
            raise not_forwarded(self._server, self._session.said)

    async def start(self, ports: Ports | None) -> None:  # noqa: ARG002 - the server's own
        """Has it started there, with the listeners that it has or had."""
        await self.open_again(start=True)

    async def open_again(self, *, start: bool) -> None:
        """Connects anew: what ails a connection is not worth finding out."""
        await self.close()
        await self.open(start=start)

    async def wait_ended(self, pid: int) -> None:  # noqa: ARG002 - a process of another machine
        """Asks until nobody listens any more."""
        while await self._answers():
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def close(self) -> None:
        """Ends the connection."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _answers(self) -> bool:
        """Whether somebody listens at the far end: else ssh closes the connection at once."""
        try:
            reader, writer = await asyncio.open_unix_connection(str(self.socket))
        except OSError:
            return False
        try:
            async with asyncio.timeout(_PROBE_TIMEOUT_S):
                writer.write(b"GET /v1/agent HTTP/1.1\r\nhost: agent\r\n\r\n")
                return bool(await reader.read(1))
        except OSError:
            return False
        except TimeoutError:
            return True
        finally:
            writer.close()


def _sweep(sockets: Path) -> None:
    """Removes what clients have left that were killed; ssh ended with them."""
    for each in sockets.glob("s*.*"):
        pid = each.name[1:].partition(".")[0]
        if pid.isdigit() and not _is_alive(int(pid)):
            shutil.rmtree(each, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    with suppress(PermissionError):
        try:
            os.kill(pid, 0)
        except (ProcessLookupError, OverflowError):
            return False
    return True
