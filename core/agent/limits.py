"""How much the agent takes in one request: it holds all of it in memory while it reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LIMIT_BYTES: Final = 8 * 1024 * 1024
"""An environment has 2 MB at most, a file of variables 1 MB."""

_ELSEWHERE: Final = frozenset({"/v1/sources"})
"""What is written to the disk as it comes, with a limit of its own."""


class LimitBodies:
    """Refuses a body as soon as it is too large: where it is read, whatever it says of its size."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["path"] in _ELSEWHERE:
            await self._app(scope, receive, send)
            return
        taken_bytes = 0

        async def limited() -> Message:
            nonlocal taken_bytes
            message = await receive()
            taken_bytes += len(message.get("body", b""))
            if taken_bytes > LIMIT_BYTES:
                raise HTTPException(413, f"the body has more than {LIMIT_BYTES} bytes")
            return message

        await self._app(scope, limited, send)
