"""Pictures of the main screen in every sample state: `python -m tests.tui.gallery FOLDER`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import App

from tests.tui import samples
from tui import themes
from tui.keys import Scope, bindings, keys_of
from tui.logs.store import LogStore
from tui.screens.main import MainScreen
from tui.view.glyphs import ASCII, UNICODE, Glyphs

if TYPE_CHECKING:
    from textual.binding import BindingType

    from tui.view.scene import Scene
    from tui.widgets.history_pane import HistoryPane
    from tui.widgets.services_table import ServicesTable

STYLES = Path(__file__).parents[2] / "styles"
_STYLES = ("main.tcss", "logs.tcss")

SIZES = ((80, 24), (120, 35), (200, 50))

_LOG = (
    ("compartment", "web", "building"),
    ("compartment", "web", "image built 7.9s"),
    ("compartment", "api", "starting_candidate :31008"),
    ("stdout", "api", "GET /v1/items 200 12ms"),
    ("stdout", "worker", "job 8841 started"),
    ("stderr", "api", "ERROR redis: timeout 500ms"),
    ("compartment", "api", "readiness GET /healthz 503 (#44)"),
)


def lines() -> list[dict[str, Any]]:
    """Some log lines under the documented keys."""
    return [
        {
            "timestamp": samples.before(30 - number).isoformat(),
            "stream": stream,
            "message": message,
            "deploymentId": "dep_51fex7q2m4kz",
            "serviceName": service,
            "environmentName": "production",
        }
        for number, (stream, service, message) in enumerate(_LOG)
    ]


class Gallery(App[None]):
    """The main screen alone, without agent and clock."""

    CSS_PATH: ClassVar = [STYLES / name for name in _STYLES if (STYLES / name).exists()]
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(keys_of(Scope.ACTIONS, Scope.GLOBAL))]

    def __init__(self, glyphs: Glyphs = UNICODE, theme: str = "compartment-dark") -> None:
        self.store = LogStore()
        self.main = MainScreen(self.store, glyphs)
        self.told: list[str] = []
        """What the panes have told, in words."""
        super().__init__()
        for each in themes.THEMES:
            self.register_theme(each)
        self.theme = theme

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return themes.variable_defaults(self.current_theme)

    def get_default_screen(self) -> MainScreen:
        return self.main

    def on_services_table_selected(self, event: ServicesTable.Selected) -> None:
        self.told.append(f"selected {event.name}")

    def on_services_table_opened(self, event: ServicesTable.Opened) -> None:
        self.told.append(f"opened {event.name}")

    def on_history_pane_opened(self, event: HistoryPane.Opened) -> None:
        self.told.append(f"run {event.run_id}")


async def picture(found: Scene, size: tuple[int, int], theme: str = "compartment-dark") -> str:
    """A scene as SVG."""
    app = Gallery(found.glyphs, theme)
    async with app.run_test(size=size) as pilot:
        app.main.history.show_runs(samples.RUNS)
        app.store.push(lines())
        await pilot.pause()
        app.main.show(found)
        app.main.flush(found.now)
        await pilot.pause()
        return app.export_screenshot()


async def make(folder: Path, names: list[str]) -> None:
    """Writes the pictures of some samples, or of all."""
    for name in names or samples.ALL:
        for size in SIZES:
            for glyphs in (UNICODE, ASCII):
                kind = "ascii" if glyphs.is_ascii else "unicode"
                found = samples.scene(samples.ALL[name](), "api", glyphs)
                file = folder / f"{name}-{size[0]}x{size[1]}-{kind}.svg"
                file.write_text(await picture(found, size))


if __name__ == "__main__":
    chosen = Path(sys.argv[1])
    chosen.mkdir(parents=True, exist_ok=True)
    asyncio.run(make(chosen, sys.argv[2:]))
