"""The app as a guest of ours: beside its feed, under our signals, and never a broken terminal."""

from __future__ import annotations

import asyncio
import gc
import signal
from io import StringIO
from typing import TYPE_CHECKING

from rich.console import Console

from core.cli.output import Output, silence
from core.ending import single_error
from core.errors import InternalError
from core.model import DEFAULT_ENVIRONMENT
from tui.leaving import Leaving
from tui.terminal import Terminal

if TYPE_CHECKING:
    from tui.app import DashboardApp
    from tui.feed.messages import Feed
    from tui.going import Going


class Session:
    """Shows apps, one after the other, on the terminal of this process."""

    def __init__(self) -> None:
        self._terminal = Terminal()
        self._leaving = Leaving(self._terminal)

    @property
    def exit_code(self) -> int:
        """0, or the code of the signal that ended it."""
        return self._leaving.exit_code if self._leaving.first else 0

    async def show(self, app: DashboardApp, feed: Feed) -> Going | None:
        """Shows an app until it is left, for where it goes next if anywhere.

        Raises:
            Exception: it ended by a bug in a widget or in the feed; the terminal is as it was.
        """
        failures: list[Exception] = []
        # What is there now stays: without it, each search for garbage is so much shorter a pause.
        gc.freeze()
        gc.enable()
        # Textual prints what it has to say of a crash; we say it shorter, and keep the rest.
        said = StringIO()
        app.error_console = Console(file=said)

        async def play() -> None:
            try:
                await feed.run(app.take)
            except Exception as error:  # noqa: BLE001 - said once the terminal is given back
                if app.return_code is None:  # nobody listens any more on the way out
                    failures.append(error)
                    app.exit()

        try:
            with self._leaving.caught(app), single_error():
                async with asyncio.TaskGroup() as tasks:
                    playing = tasks.create_task(play())
                    chosen = await app.run_async()
                    playing.cancel()
        finally:
            self._terminal.restore_if_changed()
            if self._terminal.is_gone:
                silence()
        crash = app._exception  # noqa: SLF001 - Textual 8.2.8 has no other way to ask
        if crash is not None:
            failures.insert(0, crash)
        self._raise(failures, said.getvalue())
        return None if self._leaving.first else chosen

    def _raise(self, failures: list[Exception], said: str) -> None:
        if self._leaving.first is not None:
            return  # whatever else broke on the way out
        if (failures or said) and self._terminal.is_gone:
            # Its end is an error to whoever reads from it, and no signal where it was not ours.
            self._leaving.first = signal.SIGHUP
        elif failures:
            raise failures[0]
        elif said:
            raise InternalError(said)

    def say_what_goes_on(self, app: DashboardApp, server: str | None = None) -> None:
        """Tells of a run that was left alone, once the terminal can be written to again."""
        state = app.board.state
        if state.run is None or not state.is_busy or self._terminal.is_gone:
            return
        command = f"compartment-tui --project {state.place.project}"
        if state.place.environment != DEFAULT_ENVIRONMENT:
            command += f" --env {state.place.environment}"
        if server is not None:
            command += f" --host {server}"
        Output().progress(f"run {state.run.id} goes on in the agent; watch it: {command}")
