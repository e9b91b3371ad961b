"""Everything about one service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual import on
from textual.content import Content

from tui.screens.asking import Page
from tui.screens.listing import Sheet
from tui.view import detail

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from tui.verbs import Verbs
    from tui.view.glyphs import Glyphs
    from tui.view.scene import Scene

PAST = 10
"""How many of its last deployments are shown."""


class ServiceScreen(Page):
    """Live in its upper half; its past and its configuration are asked for, again when it moves."""

    AUTO_FOCUS = "#detail"

    def __init__(self, verbs: Verbs, service: str, glyphs: Glyphs) -> None:
        super().__init__(glyphs)
        self._verbs = verbs
        self._service = service
        self._scene: Scene | None = None
        self._asked_about: tuple[str | None, bool] | None = None
        self._deployments: list[dict[str, Any]] | None = None
        self._inspected: dict[str, Any] | None = None

    def heading(self) -> str:
        """Which service, and where."""
        if self._scene is None:
            return self._service
        place = self._scene.state.place
        found = self._scene.state.services.get(self._service)
        kind = f"  {found.kind} service" if found else ""
        return f"{self._service}{kind}  {place.project} / {place.environment}"

    def body(self) -> ComposeResult:
        """One text to scroll."""
        yield Sheet("detail")

    def on_mount(self) -> None:
        """Draws what was shown before it was mounted."""
        self.call_after_refresh(self._refresh)

    @on(Sheet.Resized)
    def redraw(self) -> None:
        """Gives the lines the new room."""
        self._draw()

    def show(self, scene: Scene) -> None:
        """Follows the service."""
        self._scene = scene
        if self.is_mounted:
            self._refresh()

    def _refresh(self) -> None:
        self._draw()
        if self._scene is None:
            return
        service = self._scene.state.services.get(self._service)
        current = service.current if service else None
        about = (current.id if current else None, bool(service and service.is_moving))
        if about != self._asked_about:
            self._asked_about = about
            if self._scene.state.run is None:  # the agent does not know the project yet
                self._deployments = []
                self._draw()
                return
            self.ask(self._load, self._take, "service")

    async def _load(self) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
        found = await self._verbs.deployments(self._service, PAST)
        about = self._asked_about[0] if self._asked_about else None
        return found, await self._verbs.inspect(about) if about else None

    def _take(self, found: tuple[list[dict[str, Any]], dict[str, Any] | None]) -> None:
        self._deployments, self._inspected = found
        self._draw()

    def _draw(self) -> None:
        if self._scene is None:
            return
        self.retitle(self.heading())
        sheet = self.query_one(Sheet)
        sheet.write(self._lines(self._scene, sheet.room))

    def _lines(self, scene: Scene, width: int) -> list[Content]:
        service = scene.state.services.get(self._service)
        if service is None:
            return [Content(f"there is no service {self._service} any more")]
        lines = detail.present(service, scene, width)
        if self._deployments is not None:
            shown = detail.past(self._deployments, scene.now, width, self.glyphs)
            lines += [Content(""), _title("last deployments"), *shown]
        if self._inspected is not None:
            failed = ", failed" if self._inspected.get("status") == "failed" else ""
            which = f"deployed with ({self._inspected.get('id', '')}{failed})"
            lines += [Content(""), _title(which), *detail.configuration(self._inspected)]
        return lines


def _title(text: str) -> Content:
    return Content.styled(text, "bold")
