"""What differs between two deployments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.content import Content

from tui.screens.asking import Page
from tui.screens.listing import Sheet
from tui.view import diff

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from tui.verbs import Verbs
    from tui.view.glyphs import Glyphs

Json = dict[str, Any]


class DiffScreen(Page):
    """The left one is the earlier one: `-` was there, `+` is there."""

    AUTO_FOCUS = "#difference"

    def __init__(
        self, verbs: Verbs, left_id: str | None, right_id: str | None, glyphs: Glyphs
    ) -> None:
        """Without two of them there is nothing to compare, and the screen says so."""
        super().__init__(glyphs)
        self._verbs = verbs
        self._ids = (left_id, right_id)

    def heading(self) -> str:
        """Which two."""
        return "  ->  ".join(each or "none" for each in self._ids)

    def body(self) -> ComposeResult:
        """One text to scroll."""
        yield Sheet("difference")

    def on_mount(self) -> None:
        """Asks for both after the first frame."""
        self.call_after_refresh(self._load)

    def _load(self) -> None:
        left, right = self._ids
        if left is None or right is None:
            missing = "live" if right is None else "earlier"
            self.say(f"there is no {missing} deployment to compare with")
        else:
            self.ask(lambda: self._both(left, right), self._take, "difference")

    async def _both(self, left: str, right: str) -> tuple[Json, Json]:
        return await self._verbs.inspect(left), await self._verbs.inspect(right)

    def _take(self, both: tuple[Json, Json]) -> None:
        left, right = both
        self.retitle(f"{right.get('serviceName', '')}: {_named(left)}  ->  {_named(right)}")
        found = diff.difference(left, right)
        shown = diff.lines(found)
        if found.is_empty:
            same = "nothing differs but the time they were made, as far as can be seen"
            shown = [Content(same), Content(""), *shown]
        self.query_one(Sheet).write(shown)


def _named(deployment: Json) -> str:
    return f"{deployment.get('id')}{' (live)' if deployment.get('isActive') else ''}"
