"""While an agent brings back what was live it can be looked at; what changes something waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

    from starlette.types import ASGIApp, Receive, Scope, Send

_AT_ONCE = frozenset({
    ("GET", "/v1/agent"),
    ("POST", "/v1/agent/stop"),
    ("GET", "/v1/status"),
    ("GET", "/v1/deployments"),
    ("GET", "/v1/events"),
    ("GET", "/v1/logs"),
})  # fmt: skip
"""What asks the journal alone: engines are being talked to, which must not happen twice."""


class WaitForRecovery:
    """Lets requests wait until `recovered` is set, apart from those that only read."""

    def __init__(self, app: ASGIApp, recovered: asyncio.Event) -> None:
        self._app = app
        self._recovered = recovered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http" and (scope["method"], scope["path"]) not in _AT_ONCE:
            await self._recovered.wait()
        await self._app(scope, receive, send)
