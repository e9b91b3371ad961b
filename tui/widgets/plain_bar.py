"""A scroll bar for terminals that have ASCII only."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.scrollbar import ScrollBarRender

if TYPE_CHECKING:
    from textual.widget import Widget


class PlainScrollBar(ScrollBarRender):
    """Without the eighths of a block that a plain terminal does not have."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * 8


def use_plain_bar(widget: Widget) -> None:
    """Gives one widget a scroll bar without signs."""
    widget.vertical_scrollbar.renderer = PlainScrollBar  # type: ignore[misc]  # one bar only
