"""Setting all variables of a .env file."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import Input, Static

from core.config.dotenv import read_variables
from core.errors import UsageError
from tui.screens.asking import Dialog
from tui.screens.one_of import OneOf
from tui.screens.type_ahead import GuardedInput
from tui.screens.variable import SENSITIVITIES, field, scopes
from tui.view import words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from textual.app import ComposeResult

    from core.model import Problem
    from tui.verbs import Verbs
    from tui.view.glyphs import Glyphs

_NAMES_SHOWN = 12


class ImportScreen(Dialog[bool]):
    """Enter reads the file and says what is in it; enter again sets all of that, or nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "read, then import", key_display="enter"),
        # Priority: what is typed right after it is for the next field, however fast it comes.
        Binding("tab", "app.focus_next", "next field", key_display="tab", priority=True),
        Binding("shift+tab", "app.focus_previous", show=False, priority=True),
    ]

    def __init__(
        self,
        verbs: Verbs,
        services: Sequence[str],
        glyphs: Glyphs,
        *,
        folder: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Names of files are taken from `folder` on."""
        super().__init__(glyphs, clock)
        self._verbs = verbs
        self._folder = folder
        self._found: Mapping[str, str] | None = None
        self._whose = OneOf(scopes(services), "whose")
        self._kind = OneOf(SENSITIVITIES, "kind")

    def heading(self) -> str:
        """What is done."""
        return "Import variables from a .env file"

    def body(self) -> ComposeResult:
        """The file, whom it is for, and what is in it."""
        name = GuardedInput(self.type_ahead, placeholder="path of the file", id="file")
        name.value = ".env"
        yield field("file", name)
        yield field("for", self._whose)
        yield field("kind", self._kind)
        yield Static(id="preview", markup=False)

    def on_mount(self) -> None:
        """Begins with the file."""
        super().on_mount()
        self.query_one("#file", Input).focus()

    @on(Input.Changed)
    def forget(self) -> None:
        """Another file is read anew."""
        self._found = None
        self.query_one("#preview", Static).update("")

    @on(Input.Submitted)
    def action_take(self) -> None:
        """Reads the file, or imports what has been read."""
        if self._found is None:
            file = self.query_one("#file", Input).value.strip()
            self.ask(lambda: self._read(file), self._preview, "file")
        else:
            found = self._found
            self.ask(lambda: self._set(found), self._done, "set")

    async def _read(self, file: str) -> tuple[dict[str, str], tuple[Problem, ...]]:
        text = await asyncio.to_thread(_text_of, self._folder, file)
        return read_variables(text, file, os.environ)

    def _preview(self, found: tuple[dict[str, str], tuple[Problem, ...]]) -> None:
        self._found, warnings = found
        names = words.listed(sorted(self._found), _NAMES_SHOWN)
        lines = [f"{words.counted(len(self._found), 'variable')}: {names}"]
        lines += [f"{self.glyphs.retrying} {each}" for each in warnings]
        lines.append("enter imports them; what is set already is replaced")
        self.query_one("#preview", Static).update("\n".join(lines))
        # What is said yes to is seen only now.
        self.type_ahead.begin()

    async def _set(self, values: Mapping[str, str]) -> None:
        await self._verbs.variables.take_in(
            values, self._whose.value, is_sensitive=self._kind.value
        )

    def _done(self, _: None) -> None:
        self.dismiss(True)  # noqa: FBT003 - the result


def _text_of(folder: Path, file: str) -> str:
    try:
        path = folder / Path(file).expanduser()
        return path.read_bytes().decode()
    except (OSError, RuntimeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"cannot read {file}: {why}", hint="name another file") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not UTF-8", hint="save it as UTF-8") from error
