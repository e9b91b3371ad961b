"""An agent in a thread of the test's process, asked without a socket: as ASGI."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from core.agent.server import create_app
from core.config.settings import Settings
from core.files import Home
from core.platform import Platform
from core.sources.store import MEGABYTE, Sources

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from starlette.types import ASGIApp, Message

ANSWERS_WITHIN_S: Final = 60.0
_LISTENS_S: Final = 0.05
"""How long an endless reply is listened to, once it has begun."""


@dataclass
class Reply:
    """What came of one request; of an endless one, its beginning."""

    status: int = 0
    headers: Sequence[tuple[bytes, bytes]] = ()
    body: bytearray = field(default_factory=bytearray)
    error: BaseException | None = None
    """What was raised out of the application: a traceback in the log of an agent."""


class Inside:
    """Asks an application that lives on the event loop of another thread."""

    def __init__(self, app: ASGIApp, loop: asyncio.AbstractEventLoop, platform: Platform) -> None:
        self._app = app
        self._loop = loop
        self.platform = platform

    def ask(
        self,
        method: str,
        path: str,
        query: bytes = b"",
        body: bytes = b"",
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> Reply:
        """One request."""
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http",
            "method": method, "path": path, "raw_path": path.encode(errors="surrogateescape"),
            "query_string": query, "root_path": "", "server": ("agent", None),
            "client": None, "headers": [(b"host", b"agent"), *headers],
        }  # fmt: skip
        asked = asyncio.run_coroutine_threadsafe(self._ask(scope, body), self._loop)
        return asked.result(ANSWERS_WITHIN_S)

    async def _ask(self, scope: dict[str, Any], body: bytes) -> Reply:
        reply, begun = Reply(), asyncio.Event()
        parts = iter([body])

        async def receive() -> Message:
            part = next(parts, None)
            if part is None:
                await asyncio.Event().wait()  # nobody hangs up
            return {"type": "http.request", "body": part, "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                reply.status, reply.headers = message["status"], message["headers"]
                begun.set()
            else:
                reply.body += message.get("body", b"")

        async def answer() -> None:
            try:
                await self._app(scope, receive, send)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told
                reply.error = error

        async with asyncio.timeout(ANSWERS_WITHIN_S), asyncio.TaskGroup() as tasks:
            answering = tasks.create_task(answer())
            beginning = tasks.create_task(begun.wait())
            await asyncio.wait([answering, beginning], return_when=asyncio.FIRST_COMPLETED)
            is_endless = dict(reply.headers).get(b"content-type") == b"application/x-ndjson"
            await asyncio.wait([answering], timeout=_LISTENS_S if is_endless else None)
            answering.cancel()
            beginning.cancel()
        return reply


@contextmanager
def agent_inside(folder: Path) -> Iterator[Inside]:
    """A platform without a gateway, on a thread of its own."""
    opened: Future[Inside] = Future()
    done = threading.Event()

    async def live() -> None:
        home = Home(folder)
        async with Platform.running(home, Settings(port=0, internal_port=0)) as platform:
            app = create_app(platform, Sources(home.uploads, MEGABYTE), lambda: None)
            opened.set_result(Inside(app, asyncio.get_running_loop(), platform))
            await asyncio.to_thread(done.wait)

    def run() -> None:
        try:
            asyncio.run(live())
        except BaseException as error:
            if not opened.done():
                opened.set_exception(error)
            raise

    thread = threading.Thread(target=run, name="agent")
    thread.start()
    try:
        yield opened.result(ANSWERS_WITHIN_S)
    finally:
        done.set()
        thread.join(ANSWERS_WITHIN_S)
        assert not thread.is_alive()
