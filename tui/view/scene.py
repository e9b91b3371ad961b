"""One look at everything that is drawn: the state, the time, and where the person is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tui.view.glyphs import UNICODE, Glyphs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from tui.view.state import Figures, Service, State


@dataclass(frozen=True, slots=True)
class Scene:
    """What a widget is given to show itself; it repaints only what differs from the last one."""

    state: State
    now: datetime
    selected: str | None = None
    """The service under the cursor."""
    only: str | None = None
    """The one service whose lines the log panes show; None for all."""
    trends: Mapping[str, Sequence[Figures]] = field(default_factory=dict)
    events: Sequence[Mapping[str, Any]] = ()
    glyphs: Glyphs = UNICODE
    server: str | None = None
    """The machine that all of this is on; None for this one."""
    notes: Sequence[str] = ()
    """What the status line says besides: `read-only`, `replay`, `mouse: terminal`."""

    @property
    def is_read_only(self) -> bool:
        """Whether nothing can be changed from here."""
        return any(note in ("read-only", "replay") for note in self.notes)

    @property
    def service(self) -> Service | None:
        """The service under the cursor."""
        return self.state.services.get(self.selected or "")
