"""Somebody else on a port, at the moment in which it becomes free."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_WITHIN_S = 60.0
_LOOK_EVERY_S = 0.005


@asynccontextmanager
async def stolen(address: str, port: int) -> AsyncIterator[None]:
    """Listens there for as long as the block runs: a process that was killed does until its end."""
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        async with asyncio.timeout(_WITHIN_S):
            while not _has(thief, address, port):
                await asyncio.sleep(_LOOK_EVERY_S)
        thief.listen()
        yield


def _has(thief: socket.socket, address: str, port: int) -> bool:
    try:
        thief.bind((address, port))
    except OSError:
        return False
    return True
