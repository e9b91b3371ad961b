"""Draws one row of a log pane: time, service, text with its colours, matches and selection."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.logs.levels import Level, find_level
from tui.logs.times import TimeMode
from tui.logs.wrap import cut

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from tui.logs.pattern import Pattern
    from tui.logs.record import Record
    from tui.logs.shown import Row
    from tui.view.glyphs import Glyphs

SERVICE_WIDTH = 12
"""The most that the column of the services takes."""

_LEAST_TEXT = 8


@dataclass(frozen=True, slots=True)
class Ink:
    """The styles of a pane, as its style sheet gives them."""

    base: Style
    time: Style
    service: Style
    match: Style
    mark: Style
    error: Style
    warning: Style
    debug: Style
    cursor: Style
    cut: Style
    selection: Style

    def of_level(self, level: Level) -> Style | None:
        """The style of the word that states a level; None for ordinary ones."""
        return {Level.ERROR: self.error, Level.WARN: self.warning, Level.DEBUG: self.debug}.get(
            level
        )


class Layer(NamedTuple):
    """A style that lies over some characters."""

    start: int
    end: int
    style: Style


@dataclass(frozen=True, slots=True)
class LineLook:
    """Everything about how lines look at the moment, but for the lines themselves."""

    width: int
    glyphs: Glyphs
    ink: Ink
    now: datetime
    time: TimeMode = TimeMode.CLOCK
    service_width: int = 0
    """0 hides the column; the mark stays."""
    live_ids: frozenset[str] | None = None
    """Deployments whose lines are not marked with `~`; None marks none."""
    skip: int = 0
    """How many cells of the text are to the left of the view."""
    pattern: Pattern | None = None
    is_wrapped: bool = False
    marks: frozenset[int] = frozenset()
    """The numbers of marked records; a column to their left is there while there are any."""
    gutter: int = 0
    """Cells at the right edge that the scroll bar covers."""

    @property
    def text_width(self) -> int:
        """Room for the text of a line."""
        return max(self.width - self.prefix_width, min(_LEAST_TEXT, self.width), 1)

    @property
    def prefix_width(self) -> int:
        """What stands before the text, in cells."""
        time = self.margin + (self.time.width + 1 if self.time.width else 0)
        if self.service_width:
            return time + self.service_width + 2
        return time + (2 if self.live_ids is not None else 0)

    @property
    def margin(self) -> int:
        """The column of the marks, in cells; it is no part of a line, and never copied."""
        return cell_len(self.glyphs.mark) + 1 if self.marks else 0

    def prefix(self, record: Record) -> tuple[str, str]:
        """What stands before the text of a line: time and service, with the space behind each."""
        label = self.time.label(record.at, self.now)
        return f"{label} " if label else "", self._service(record)

    def _service(self, record: Record) -> str:
        width = self.service_width
        is_live = self.live_ids is None or record.deployment_id in self.live_ids
        if not width:
            return "" if self.live_ids is None else "  " if is_live else "~ "
        name = record.service
        if cell_len(name) > width:
            sign = self.glyphs.cut
            name = set_cell_size(name, width - cell_len(sign)) + sign
        return set_cell_size(name if is_live else f"{name}~", width + 1) + " "

    def line(self, record: Record) -> str:
        """The whole line as it is shown and copied."""
        return "".join((*self.prefix(record), record.shown))

    def strip(self, row: Row, *, is_chosen: bool, selected: tuple[int, int] | None) -> Strip:
        """One row as it is drawn, exactly `width` and `gutter` cells.

        Args:
            row: The row.
            is_chosen: Whether the cursor is on its record.
            selected: The selected characters of its `line`, if any.
        """
        ink = self.ink
        base = ink.base + ink.cursor if is_chosen else ink.base
        time, service = self.prefix(row.record)
        if row.part:
            segments = [Segment(" " * self.prefix_width, base)]
        else:
            segments = [Segment(time, base + ink.time), Segment(service, base + ink.service)]
            if selected is not None:
                segments = _select(segments, selected, base + ink.selection)
            if self.marks:
                sign = self.glyphs.mark if row.number in self.marks else ""
                segments.insert(0, Segment(set_cell_size(sign, self.margin), base + ink.mark))
        self._add_text(segments, row, base, selected, len(time) + len(service))
        segments = [segment for segment in segments if segment.text]
        used = sum(cell_len(segment.text) for segment in segments)
        width = self.width + self.gutter
        if used < width:
            segments.append(Segment(" " * (width - used), base))
        strip = Strip(segments, max(used, width))
        return strip if used <= width else strip.crop(0, width)

    def _add_text(
        self,
        segments: list[Segment],
        row: Row,
        base: Style,
        selected: tuple[int, int] | None,
        offset: int,
    ) -> None:
        """Adds the part of the text that can be seen, with signs where it goes on."""
        shown = row.record.shown
        text = shown if self.is_wrapped is False else shown[row.start : row.end]
        sign = self.glyphs.cut
        size = cell_len(sign)
        skip, width = self.skip, self.text_width
        is_left = skip > 0 and bool(text)
        if is_left:
            segments.append(Segment(sign, base + self.ink.cut))
            skip, width = skip + size, width - size
        found = cut(text, skip, width)
        is_right = found.end < len(text) and not (self.is_wrapped and text[found.end :] == " ")
        if is_right:
            found = cut(text, skip, width - size)
        if found.lead:
            segments.append(Segment(" " * found.lead, base))
        start, end = found.start + row.start, found.end + row.start
        layers = self._layers(row.record, shown, selected, offset)
        segments.extend(_pieces(shown, start, end, base, layers))
        if is_right:
            gap = width - size - found.lead - found.cells
            segments.append(Segment(" " * gap, base))
            segments.append(Segment(sign, base + self.ink.cut))

    def _layers(
        self, record: Record, shown: str, selected: tuple[int, int] | None, offset: int
    ) -> list[Layer]:
        """What lies over the plain text, the topmost last."""
        layers: list[Layer] = []
        if record.level is not None:
            word = find_level(shown)
            style = self.ink.of_level(word.level) if word is not None else None
            if word is not None and style is not None:
                layers.append(Layer(word.start, word.end, style))
        layers += [Layer(*span) for span in record.spans]
        if self.pattern is not None:
            layers += [Layer(*span, self.ink.match) for span in self.pattern.spans(shown)]
        if selected is not None:
            start, end = (max(0, each - offset) for each in selected)
            layers.append(Layer(start, end, self.ink.selection))
        return layers

    def places(self, row: Row) -> Strip:
        """The row with nothing but the place of each character in its `line`, for the mouse."""
        prefix = "".join(self.prefix(row.record))
        shown = row.record.shown
        text = shown if not self.is_wrapped else shown[row.start : row.end]
        found = cut(text, self.skip, self.text_width)
        start, end = found.start + row.start, found.end + row.start
        text_at = len(prefix) + start
        if row.part:
            # The room before a row that goes on counts as the end of the row above.
            prefix = " " * self.prefix_width
        prefix_at = max(0, text_at - len(prefix)) if row.part else 0
        pieces = [(prefix, prefix_at), (" " * found.lead, text_at), (shown[start:end], text_at)]
        if not row.part:
            pieces[:0] = [(" ", 0)] * self.margin
        return Strip(
            [Segment(text, Style.from_meta({"offset": (x, row.number)})) for text, x in pieces]
        )


def _select(segments: Iterable[Segment], selected: tuple[int, int], style: Style) -> list[Segment]:
    """The segments of a prefix with the selected characters in their style."""
    found: list[Segment] = []
    offset = 0
    for text, own, _ in segments:
        layer = Layer(selected[0] - offset, selected[1] - offset, style)
        found += _pieces(text, 0, len(text), own or style, [layer])
        offset += len(text)
    return found


def _pieces(text: str, start: int, end: int, base: Style, layers: list[Layer]) -> list[Segment]:
    """Characters of a text as segments, cut wherever a layer begins or ends."""
    over = [layer for layer in layers if layer.start < end and layer.end > start]
    if not over:
        return [Segment(text[start:end], base)]
    edges = {start, end}
    for layer in over:
        edges.add(max(start, layer.start))
        edges.add(min(end, layer.end))
    places = sorted(edges)
    segments = []
    for left, right in pairwise(places):
        style = base
        for layer in over:
            if layer.start <= left < layer.end:
                style += layer.style
        segments.append(Segment(text[left:right], style))
    return segments
