"""An agent in the process of the test: its platform can be changed by hand, its socket is real."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import uvicorn

from core.agent.client import Client
from core.agent.server import create_app
from core.config.settings import Settings
from core.files import Home
from core.platform import Platform
from core.sources.store import MEGABYTE, Sources

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@asynccontextmanager
async def agent_inside(folder: Path, **settings: Any) -> AsyncIterator[tuple[Platform, Client]]:
    """A served platform without a gateway, and a client of it."""
    home = Home(folder)
    async with Platform.running(home, Settings(port=0, internal_port=0, **settings)) as platform:
        server: uvicorn.Server
        sources = Sources(home.uploads, MEGABYTE)
        app = create_app(platform, sources, lambda: setattr(server, "should_exit", True))
        config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(home.agent_socket))
            listening.listen()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(server.serve(sockets=[listening]))
                try:
                    async with Client.opened(home) as client:
                        yield platform, client
                finally:
                    server.should_exit = True
