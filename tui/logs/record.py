"""One log line, read once from the wire into what a pane needs to draw it. Pure."""

from __future__ import annotations

from sys import getsizeof, intern
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from core.lines import clean
from tui.logs.colours import Span, parse
from tui.logs.levels import Level, find_level

if TYPE_CHECKING:
    from collections.abc import Mapping

SHOWN_LIMIT = 8192
"""How many characters of a line a pane shows; the rest is kept for whoever opens the line."""

_OVERHEAD = 320
"""What a record takes beside its text, in bytes (measured)."""

_OF_SPAN = 80


class Record(NamedTuple):
    """One line: `text` is the whole of it, free of codes; `spans` are its colours."""

    at: str
    """ISO 8601 in UTC, as the agent stamps it: text order is time order."""
    stream: str
    service: str
    deployment_id: str
    level: Level | None
    text: str
    spans: tuple[Span, ...]

    @classmethod
    def read(cls, line: Mapping[str, Any]) -> Self:
        """A line as the agent sends it.

        The core has cleaned it; a recording may come from anywhere, so what cannot be printed is
        looked at again.
        """
        text: str = line["message"]
        spans: tuple[Span, ...] = ()
        if not text.isprintable():
            raw = text
            text, spans = parse(raw)
            if not text.isprintable():
                text, spans = parse(clean(raw))
        found = find_level(text)
        return cls(
            line["timestamp"],
            line["stream"],
            intern(line.get("serviceName") or ""),
            intern(line.get("deploymentId") or ""),
            found.level if found is not None else None,
            text,
            spans,
        )

    @property
    def shown(self) -> str:
        """The text as a pane shows it: an endless line says how much of it is missing."""
        missing = len(self.text) - SHOWN_LIMIT
        if missing <= 0:
            return self.text
        return f"{self.text[:SHOWN_LIMIT]} [{missing} more characters, enter shows them]"

    @property
    def size_bytes(self) -> int:
        """About how much memory it takes."""
        return getsizeof(self.text) + _OVERHEAD + _OF_SPAN * len(self.spans)
