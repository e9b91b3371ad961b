"""The networks of an environment, and who reaches whom on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual import on

from core.errors import NotFound
from core.model import EngineName, ServiceKind
from core.reach import reach_of
from tui.screens.asking import Page
from tui.screens.listing import Sheet
from tui.view import networks, words

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from tui.verbs import Verbs
    from tui.view.glyphs import Glyphs
    from tui.view.scene import Scene

Json = dict[str, Any]


class NetworksScreen(Page):
    """As they are among what is active; asked for again when that is something else."""

    AUTO_FOCUS = "#networks"

    def __init__(self, verbs: Verbs, glyphs: Glyphs) -> None:
        super().__init__(glyphs)
        self._verbs = verbs
        self._scene: Scene | None = None
        self._asked_about: list[str | None] | None = None
        self._found: Json | None = None
        self._is_deployed = True

    def heading(self) -> str:
        """How many networks, and where."""
        if self._scene is None or self._found is None:
            return "Networks"
        count = words.counted(len(self._found["networks"]), "network")
        place = self._scene.state.place
        note = "" if self._is_deployed else "  not deployed yet: as the files have it"
        return f"Networks: {count}  {place.project} / {place.environment}{note}"

    def body(self) -> ComposeResult:
        """One text to scroll."""
        yield Sheet("networks")

    def on_mount(self) -> None:
        """Asks for what is to be shown, after the first frame."""
        self.call_after_refresh(self._refresh)

    @on(Sheet.Resized)
    def redraw(self) -> None:
        """Gives the lines the new room."""
        self._draw()

    def show(self, scene: Scene) -> None:
        """Follows what is active."""
        self._scene = scene
        if self.is_mounted:
            self._refresh()

    def _refresh(self) -> None:
        if self._scene is None:
            return
        live = [each.live.id if each.live else None for each in self._scene.state.services.values()]
        if live != self._asked_about:
            self._asked_about = live
            self.ask(self._load, self._take, "networks")

    async def _load(self) -> Json:
        try:
            self._is_deployed = True
            return await self._verbs.networks()
        except NotFound:
            project = self._verbs.project
            if project is None or not project.is_compose:
                raise
            self._is_deployed = False
            return reach_of(project.services.values(), EngineName.DOCKER)

    def _take(self, found: Json) -> None:
        self._found = found
        self._draw()

    def _draw(self) -> None:
        if self._scene is None or self._found is None:
            return
        self.retitle(self.heading())
        urls = {
            each.name: each.live.route_url
            for each in self._scene.state.services.values()
            if each.kind is ServiceKind.WEB and each.live and each.live.route_url
        }
        sheet = self.query_one(Sheet)
        sheet.write(networks.lines(self._found, urls, sheet.room, self.glyphs))
