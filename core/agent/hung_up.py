"""Replies to who has said what is no HTTP behind a request, before that was answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import h11

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_OVER: Final = ("MUST_CLOSE", "CLOSED", "ERROR")
"""States of a connection, with which its errors end."""


class DropLateReplies:
    """Lets a reply go nowhere whose connection uvicorn has refused and is closing.

    uvicorn 0.54 does so where somebody has hung up, but raises here, for its log, as if the reply
    were wrong.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""

        async def sent(message: Message) -> None:
            try:
                await send(message)
            except h11.LocalProtocolError as error:
                if not str(error).endswith(_OVER):
                    raise

        await self._app(scope, receive, sent)
