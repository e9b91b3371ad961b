"""Which agent the commands of this process ask: that of this machine, or of a server."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from core.agent.door import LocalDoor
from core.files import Home

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.agent.door import Door
    from core.remote.server import Server

_chosen: ContextVar[Server | None] = ContextVar("chosen", default=None)


@contextmanager
def asked_at(server: Server | None) -> Iterator[None]:
    """Has everything in a block ask the agent of a server; of this machine, if None."""
    token = _chosen.set(server)
    try:
        yield
    finally:
        _chosen.reset(token)


def server_asked() -> Server | None:
    """The server whose agent is asked; None for this machine's."""
    return _chosen.get()


def is_elsewhere() -> bool:
    """Whether the agent that is asked is on another machine."""
    return server_asked() is not None


def agent_door(*, asks_again: bool = True) -> Door:
    """The door to the agent that is to be asked; see `SshDoor` for `asks_again`."""
    server, home = _chosen.get(), Home.locate()
    if server is None:
        return LocalDoor(home)
    # Imported here: it is of no use to most commands.
    from core.remote.door import SshDoor

    return SshDoor(server, home, asks_again=asks_again)
