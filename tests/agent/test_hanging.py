"""An agent that takes connections and says nothing: it is told of, and no other one is started."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from core.agent import client as client_module
from core.agent import launcher
from core.agent.client import Client
from core.agent.transport import HANGS
from core.errors import AgentUnavailable
from core.files import Home

if TYPE_CHECKING:
    from pathlib import Path


async def test_it_is_told_of_at_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = Home(home)
    where.create()
    monkeypatch.setattr(client_module, "ANSWER_TIMEOUT_S", 0.1)
    monkeypatch.setattr(launcher, "launch", None)

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await is_over.wait()
        writer.close()

    is_over = asyncio.Event()
    async with await asyncio.start_unix_server(say_nothing, where.agent_socket):
        with pytest.raises(AgentUnavailable, match="the agent hangs") as told:
            async with Client.connected(where):
                pass
        is_over.set()
    assert told.value.code == HANGS
    assert "compartment doctor" in (told.value.hint or "")
