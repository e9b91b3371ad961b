"""The agent as a process: one per home folder, started on demand, outliving every terminal."""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import logging
import os
import sys
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

import uvicorn

from core.agent import launcher
from core.agent.client import Client
from core.agent.hung_up import DropLateReplies
from core.agent.notify import Notifier
from core.agent.own_log import FORMAT, hide_secrets
from core.agent.pages import serve_pages
from core.agent.possession import Possession
from core.agent.preload import preload_later
from core.agent.protocol import error_to_json
from core.agent.recovering import WaitForRecovery
from core.agent.server import create_app
from core.agent.streams import EndStreams
from core.agent.taking_in import take_in
from core.config.settings import LISTENER_SETTINGS, Settings, read_settings
from core.ending import single_error
from core.errors import AgentUnavailable, CompartmentError, InternalError, JournalError
from core.files import Home
from core.listening import listen
from core.platform import Platform
from core.sources.store import MEGABYTE, Sources

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from types import FrameType

    from core.agent.pages import PagesServer

_log = logging.getLogger(__name__)
_STREAMS_GRACE_S = 1
_HELD_PAUSE_S = 0.5


@contextmanager
def only_agent(home: Home) -> Iterator[None]:
    """Holds the home's lock; the kernel frees it however this process ends.

    Raises:
        AgentUnavailable: another agent holds it.
    """
    with home.agent_lock.open("a+b", buffering=0) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise AgentUnavailable(
                f"another agent holds {home.root} (pid {lock.read().decode() or 'unknown'})",
                hint="use it, or stop it: compartment agent stop",
                code="agent_running",
            ) from None
        lock.truncate(0)
        # For people only: that the disk is full is told by the journal, in better words.
        with suppress(OSError):
            lock.write(str(os.getpid()).encode())
        yield


@contextmanager
def in_its_place(home: Home, notifier: Notifier) -> Iterator[None]:
    """The same for the agent of a unit: one that a command has started gives way once it is idle.

    What goes on without an agent goes on; a run is not cancelled for it.
    """
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(only_agent(home))
            except AgentUnavailable as error:
                notifier.status(error.message)
                asyncio.run(_end_idle(home))
            else:
                break
        yield


async def _end_idle(home: Home) -> None:
    async with Client.opened(home) as client:
        # On its way up or out it does not answer, and may end at any moment.
        with suppress(AgentUnavailable):
            if (await client.agent())["isIdle"]:
                await client.stop_agent()
                return
    await asyncio.sleep(_HELD_PAUSE_S)


class Server(uvicorn.Server):
    """Tells that it stops, however it was told to."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event, pages: PagesServer) -> None:
        super().__init__(config)
        self._stopping = stopping
        self._pages = pages

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's
        """Stops as if it was asked to: uvicorn's own would raise the signal again at its end.

        That ends the process before its runs are taken back.
        """
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends the connections."""
        self._stopping.set()
        # Each of the two looks ten times a second only whether it can go on with its end.
        self._pages.should_exit = True
        await super().shutdown(sockets)


async def serve(
    home: Home, settings: Settings, notifier: Notifier, unit: str | None = None
) -> None:
    """Runs the agent until it is told to stop.

    It can be asked how it gets on from the beginning: what was live may take a while to come back.

    Raises:
        CompartmentError: it cannot start, or cannot go on.
    """
    possession = Possession(home)
    async with Platform.opened(home, settings) as platform:
        hide_secrets(platform.ledger.mask)
        server: Server

        def stop() -> None:
            server.should_exit = True

        stopping = asyncio.Event()
        sources = Sources(home.uploads, settings.source_limit_mb * MEGABYTE)
        config = uvicorn.Config(
            DropLateReplies(
                WaitForRecovery(
                    EndStreams(create_app(platform, sources, stop, unit), stopping),
                    platform.recovered,
                )
            ),
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=_STREAMS_GRACE_S,
        )
        pages, pages_socket = serve_pages(home, platform)
        server = Server(config, stopping, pages)
        listening = listen(home.agent_socket)
        try:
            async with asyncio.TaskGroup() as tasks:
                watch = tasks.create_task(_stop_when_broken(platform, server))
                lost = tasks.create_task(_break_when_lost(home, possession, platform))
                recovering = tasks.create_task(_recover(home, platform, notifier, unit))
                preloading = tasks.create_task(preload_later())
                tasks.create_task(pages.serve(sockets=[pages_socket]))
                await server.serve(sockets=[listening])
                # At once: who sees the socket of an agent that is gone takes it for dead.
                possession.remove(home.agent_socket)
                notifier.stopping()
                recovering.cancel()
                preloading.cancel()
                watch.cancel()
                lost.cancel()
        finally:
            possession.remove(home.agent_socket, home.pages_socket)
        if platform.failure is not None:
            raise platform.failure


async def _recover(home: Home, platform: Platform, notifier: Notifier, unit: str | None) -> None:
    notifier.status("brings back what was live")
    await platform.recover()
    if unit:
        await asyncio.to_thread(take_in, home, platform.gateway.envoy.pid, unit)
    _announce({"ready": True})
    notifier.ready()


async def _stop_when_broken(platform: Platform, server: Server) -> None:
    await platform.ended.wait()
    server.should_exit = True


async def _break_when_lost(home: Home, possession: Possession, platform: Platform) -> None:
    """Nothing that this agent knows is kept any more, and another one may begin at any moment."""
    await possession.until_lost()
    platform.failure = JournalError(
        f"the home folder {home.root} was removed while its agent ran",
        hint="what was live goes on until the next agent starts; deploy again: compartment deploy",
    )
    platform.ended.set()


def _announce(line: dict[str, object]) -> None:
    """Tells whoever started us how it went, once; then standard output is the agent's log."""
    if sys.stdout.isatty():
        return
    with suppress(BrokenPipeError):
        print(json.dumps(line), flush=True)  # noqa: T201 - the line that the starter waits for
    os.dup2(2, 1)


def _settings(arguments: argparse.Namespace) -> Settings:
    """The settings as they are written, with what the command line says over them."""
    told = {name: getattr(arguments, name) for name in LISTENER_SETTINGS}
    given = {name: value for name, value in told.items() if value is not None}
    return read_settings(os.environ).model_copy(update=given)


def main() -> int:
    """Entry point of `python -m core.agent.daemon`."""
    parser = argparse.ArgumentParser(prog="compartment-agent")
    parser.add_argument("--port", type=int)
    parser.add_argument("--internal-port", type=int)
    parser.add_argument("--https-port", type=int)
    parser.add_argument("--host")
    parser.add_argument(launcher.AGAIN, action="store_true")
    parser.add_argument("--unit", help="what systemd has started this agent as")
    arguments = parser.parse_args()
    os.umask(0o077)
    notifier = Notifier()
    home = Home.locate()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format=FORMAT)
    # httpx tells of every probe and every look at the gateway.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        settings = _settings(arguments)
        if arguments.again:
            launcher.check_is_there(home)
        else:
            home.create()
        hold = in_its_place(home, notifier) if arguments.unit else only_agent(home)
        with hold, single_error():
            asyncio.run(serve(home, settings, notifier, arguments.unit))
    except CompartmentError as error:
        _log.error("%s", error.message)
        _announce({"error": error_to_json(_reason(error, home, arguments))})
        return 1
    except Exception as error:  # noqa: BLE001 - the top of the process
        _log.exception("the agent ended by a bug")
        bug = InternalError(f"the agent ended by a bug: {error!r}")
        _announce({"error": error_to_json(_reason(bug, home, arguments))})
        return 1
    return 0


def _reason(error: CompartmentError, home: Home, arguments: argparse.Namespace) -> CompartmentError:
    """Why the agent ends: a home that is deleted while it starts fails in any of its steps."""
    try:
        if arguments.again:
            launcher.check_is_there(home)
    except CompartmentError as gone:
        return gone
    return error


if __name__ == "__main__":
    sys.exit(main())
