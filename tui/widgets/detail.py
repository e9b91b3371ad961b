"""The pane beside the services: the selected one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.view import looks
from tui.view.detail_rows import detail_rows
from tui.view.pieces import PLAIN, TITLE
from tui.widgets.framing import Framed
from tui.widgets.painting import RowsView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.view.glyphs import Glyphs
    from tui.view.pieces import Piece, Row
    from tui.view.scene import Scene


class DetailPane(RowsView, Framed, can_focus=True):
    """What matters now about one service."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(glyphs, id="detail")

    def rows(self, scene: Scene) -> Sequence[Row]:
        """As many as there is room for."""
        return detail_rows(scene, self.size.width, self.size.height)

    def show(self, scene: Scene) -> None:
        """Draws what differs from before."""
        super().show(scene)
        service = scene.service
        title: list[Piece] = [("5 ", PLAIN), (service.name if service else "detail", TITLE)]
        if service is not None:
            look = looks.service_look(service, scene.state.run, scene.now, scene.glyphs)
            title += [("  ", PLAIN), (look.glyph, look.style)]
        self.frame(title)
