"""The whole of one log line, and what the other streams said at that second."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.clipboard import copy
from tui.logs.structured import pretty
from tui.logs.times import clock, moment
from tui.view.pieces import MUTED, TITLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from tui.logs.record import Record
    from tui.view.glyphs import Glyphs

_MOST_BESIDE = 200


class LineScreen(ModalScreen[None]):
    """Wrapped, to scroll and to copy from."""

    BINDINGS: ClassVar = [
        ("escape,q,enter", "dismiss(None)", "close"),
        ("y,c", "copy_line", "copy"),
        ("j", "scroll(1)", "down"),
        ("k", "scroll(-1)", "up"),
    ]

    def __init__(
        self,
        record: Record,
        beside: Sequence[Record],
        glyphs: Glyphs,
        *,
        reads_json: bool = False,
    ) -> None:
        super().__init__()
        self._record = record
        self._pretty = pretty(record.text) if reads_json else None
        self._beside = beside
        self.set_class(glyphs.is_ascii, "-ascii")

    def compose(self) -> ComposeResult:
        """The line, then what happened beside it."""
        record = self._record
        with VerticalScroll(id="line") as body:
            yield Static(_heading(record), id="line-heading")
            text = _text(record) if self._pretty is None else Content(self._pretty)
            yield Static(text, id="line-text")
            if self._beside:
                yield Static(Content.styled("at that second", TITLE), id="line-beside-title")
                yield Static(_beside(self._beside), id="line-beside")
        body.border_title = "line"
        body.border_subtitle = "y copies it, esc closes"

    def on_mount(self) -> None:
        """The keys scroll it."""
        self.query_one("#line").focus()

    def action_scroll(self, rows: int) -> None:
        """One row down or up."""
        self.query_one("#line").scroll_relative(y=rows, animate=False)

    def action_copy_line(self) -> None:
        """Copies what is selected, or else the whole line."""
        text = self.get_selected_text() or self._pretty or self._record.text
        self.notify(copy(self.app, text), markup=False)


def _heading(record: Record) -> Content:
    at = moment(record.at)
    when = at.astimezone().isoformat(" ", "milliseconds") if at is not None else record.at
    level = record.level.name.lower() if record.level is not None else "no level"
    facts = [when, record.stream, record.service, record.deployment_id, level]
    return Content.styled("  ".join(fact for fact in facts if fact), MUTED)


def _text(record: Record) -> Content:
    text = Text(record.text)
    for start, end, style in record.spans:
        text.stylize(style, start, end)
    return Content.from_rich_text(text)


def _beside(records: Sequence[Record]) -> Content:
    lines = [
        Content.assemble(
            (f"{clock(each.at[:19])} {each.stream} {each.service} ", MUTED), each.shown
        )
        for each in sorted(records, key=lambda record: record.at)[:_MOST_BESIDE]
    ]
    missing = len(records) - len(lines)
    if missing > 0:
        lines.append(Content.styled(f"{missing:,} more", MUTED))
    return Content("\n").join(lines)
