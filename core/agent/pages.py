"""The few pages that the agent itself serves to the web, through the gateway.

They have a socket of their own, so that nobody gets from a page to the agent's verbs. Who asks for
one while no agent runs is told 503 by the gateway; what services answer never passes here.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette

from core.agent.challenge_page import challenge_page
from core.agent.hung_up import DropLateReplies
from core.agent.metrics_page import metrics_page
from core.listening import listen

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from starlette.routing import BaseRoute

    from core.files import Home
    from core.platform import Platform

_GRACE_S = 1


def routes(platform: Platform) -> list[BaseRoute]:
    """Every page."""
    return [metrics_page(platform), challenge_page(platform.parts.challenges)]


class PagesServer(uvicorn.Server):
    """Leaves the signals of the process to the server of the agent's verbs."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield


def serve_pages(home: Home, platform: Platform) -> tuple[PagesServer, socket.socket]:
    """A server of the pages, and the socket that it is to serve on."""
    config = uvicorn.Config(
        DropLateReplies(Starlette(routes=routes(platform))),
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=_GRACE_S,
    )
    return PagesServer(config), listen(home.pages_socket)
