"""The lines at the top of the screen: where this is, and whether it can be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.view import words
from tui.view.pieces import fit
from tui.view.status import status_line
from tui.widgets.painting import RowsView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.view.pieces import Row
    from tui.view.scene import Scene


class StatusLine(RowsView):
    """Where this is, what the run is at, and since when."""

    def rows(self, scene: Scene) -> Sequence[Row]:
        """One line."""
        return [status_line(scene, self.size.width)]


class LostBanner(RowsView):
    """Says that what is shown may be old, while the agent is away."""

    def rows(self, scene: Scene) -> Sequence[Row]:
        """One line, seen only while the connection is down."""
        since = scene.state.link.since
        if since is None:
            told = "waiting for the agent"
        else:
            passed = words.counting(words.seconds(since, scene.now))
            told = f"the agent does not answer: what is shown here is {passed} old"
        return [fit([(f" {scene.glyphs.failed} {told}", "bold")], self.size.width, self.glyphs.cut)]
