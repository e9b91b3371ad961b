"""The part of a log pane that takes lines out of it: clipboard, file, and one line as a whole."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from textual.actions import SkipAction

from core.model import Stream
from tui.clipboard import copy
from tui.logs import export
from tui.screens.line import LineScreen
from tui.widgets.log_finder import LogFinder
from tui.widgets.log_words import counted

if TYPE_CHECKING:
    from tui.logs.record import Record
    from tui.logs.store import LogStore
    from tui.view.glyphs import Glyphs
    from tui.view.scene import Scene


class LogTaking(LogFinder):
    """Knows its stream and the others beside it; what it takes reads as it is shown."""

    def __init__(
        self,
        stream: Stream,
        store: LogStore,
        glyphs: Glyphs,
        *,
        id: str,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(store.ring(stream), glyphs, id=id)
        self.stream = stream
        self._store = store
        self._scene: Scene | None = None
        self._now = datetime.fromtimestamp(0, UTC)

    def action_copy_selection(self) -> None:
        """Copies what is selected; without a selection the key is somebody else's."""
        text = self.screen.get_selected_text()
        if not text:
            raise SkipAction
        self._say(copy(self.app, text))

    def action_copy_line(self) -> None:
        """Copies the selection, or else the text of the line under the cursor."""
        row = self.viewport.chosen
        text = self.screen.get_selected_text() or (row.record.text if row is not None else None)
        if text is None:
            self._say("there is no line to copy")
        else:
            self._say(copy(self.app, text))

    def action_copy_shown(self) -> None:
        """Copies all lines that the filter shows."""
        records = self.viewport.shown.records()
        if not records:
            self._say("there are no lines to copy")
        else:
            self._say(copy(self.app, "\n".join(map(export.plain, records))))

    def action_save(self) -> None:
        """Saves all lines that the filter shows."""
        records = self.viewport.shown.records()
        if not records:
            self._say("there are no lines to save")
            return
        project = self._scene.state.place.project if self._scene is not None else ""
        name = export.name_of_file(project, self.stream, self._now)
        self.run_worker(self._save(records, name), group="save", exit_on_error=False)

    async def _save(self, records: list[Record], name: str) -> None:
        try:
            # A disk may be slow, or far away.
            path = await asyncio.to_thread(export.save, records, Path.cwd(), name)
        except OSError as error:
            self.notify(f"not saved: {error}", severity="error", markup=False)
        else:
            self._say(f"saved {counted(len(records), 'line')} to {path}")

    def action_show_line(self) -> None:
        """The whole line under the cursor, and what else happened at that second."""
        row = self.viewport.chosen
        if row is None:
            return
        read = self.viewport.shown.reading
        others = [each for each in Stream if each is not self.stream]
        beside = [
            read(record)
            for stream in others
            for record in self._store.ring(stream).at_second(row.record.at[:19])
        ]
        screen = LineScreen(row.kept, beside, self.glyphs, reads_json=self.reads_json)
        self.app.push_screen(screen)

    def _say(self, text: str) -> None:
        self.notify(text, markup=False)
