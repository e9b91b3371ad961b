"""Everything about one service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual import on
from textual.content import Content

from core.model import ServiceKind
from tui.screens.asking import Page
from tui.screens.listing import Sheet
from tui.view import detail, execution_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from tui.verbs import Verbs
    from tui.view.glyphs import Glyphs
    from tui.view.scene import Scene
    from tui.view.state import Service

PAST = 10
"""How many of its last deployments are shown."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What is asked for, as the agent tells of it."""

    deployments: Sequence[dict[str, Any]] = ()
    inspected: dict[str, Any] | None = None
    executions: Sequence[dict[str, Any]] | None = None
    """None where the service is no job or cron."""
    cron: dict[str, Any] | None = None


class ServiceScreen(Page):
    """Live in its upper half; its past and its configuration are asked for, again when it moves."""

    AUTO_FOCUS = "#detail"

    def __init__(self, verbs: Verbs, service: str, glyphs: Glyphs) -> None:
        super().__init__(glyphs)
        self._verbs = verbs
        self._service = service
        self._scene: Scene | None = None
        self._asked_about: tuple[object, ...] | None = None
        self._known: _Known | None = None

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
        deployment_id = current.id if current else None
        executions = service.executions if service else None
        about = (deployment_id, bool(service and service.is_moving), executions)
        if about != self._asked_about:
            self._asked_about = about
            if self._scene.state.run is None:  # the agent does not know the project yet
                self._take(_Known())
                return
            self.ask(lambda: self._load(deployment_id, service), self._take, "service")

    async def _load(self, deployment_id: str | None, service: Service | None) -> _Known:
        deployments = await self._verbs.deployments(self._service, PAST)
        inspected = await self._verbs.inspect(deployment_id) if deployment_id else None
        if service is None or service.executions is None:
            return _Known(deployments, inspected)
        executions = self._verbs.executions
        crons = await executions.crons() if service.kind is ServiceKind.CRON else []
        cron = next((each for each in crons if each["serviceName"] == self._service), None)
        return _Known(deployments, inspected, await executions.recent(self._service, PAST), cron)

    def _take(self, found: _Known) -> None:
        self._known = found
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
        return [*lines, *self._past(self._known, scene, width)] if self._known else lines

    def _past(self, known: _Known, scene: Scene, width: int) -> list[Content]:
        lines: list[Content] = []
        if known.cron is not None:
            lines += [Content(""), _title("schedule"), *execution_rows.schedule(known.cron)]
        if known.executions is not None:
            shown = execution_rows.past(known.executions, scene.now, width, self.glyphs)
            lines += [Content(""), _title("last executions"), *shown]
        shown = detail.past(known.deployments, scene.now, width, self.glyphs)
        lines += [Content(""), _title("last deployments"), *shown]
        if known.inspected is not None:
            failed = ", failed" if known.inspected.get("status") == "failed" else ""
            which = f"deployed with ({known.inspected.get('id', '')}{failed})"
            lines += [Content(""), _title(which), *detail.configuration(known.inspected, width)]
        return lines


def _title(text: str) -> Content:
    return Content.styled(text, "bold")
