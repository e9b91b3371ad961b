"""Keys that show something else, or hand the terminal over for a while.

Every screen is imported where it is opened: the first frame would wait for all of them.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.text import plain
from core.errors import CompartmentError
from core.files import write_atomically
from tui.elsewhere import forwarding, is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.screen import Screen

    from tui.app import DashboardApp
    from tui.keys import Scope
    from tui.view.state import Service


class LookActions:
    """Screens, the browser, a shell, an editor."""

    def __init__(self, app: DashboardApp) -> None:
        self._app = app

    def _open(self, screen: Screen[None]) -> None:
        """Shows a screen, once: its key stays alive while it is there."""
        if type(self._app.screen) is not type(screen):
            self._app.push_screen(screen)
            self._app.show_present()

    def service(self, service: Service) -> None:
        """Everything about one service."""
        from tui.screens.service import ServiceScreen

        self._open(ServiceScreen(self._app.verbs, service.name, self._app.glyphs))

    def history(self) -> None:
        """Runs and deployments."""
        from tui.screens.history import HistoryScreen

        is_read_only = self._app.options.is_read_only
        screen = HistoryScreen(self._app.verbs, self._app.glyphs, is_read_only=is_read_only)
        self._open(screen)

    def diff(self, service: Service) -> None:
        """What a rollback would change."""
        from tui.screens.diff import DiffScreen

        if service.live is None or service.previous is None:
            self._app.warn(f"{service.name} has no earlier deployment to compare with")
            return
        screen = DiffScreen(self._app.verbs, service.previous.id, service.live.id, self._app.glyphs)
        self._app.push_screen(screen)

    def routes(self) -> None:
        """The route rules with their tester."""
        from tui.screens.routes import RoutesScreen

        live = [rule for each in self._app.board.state.services.values() for rule in each.routes]
        self._open(RoutesScreen(self._app.verbs.project, live, self._app.glyphs))

    def networks(self) -> None:
        """The networks, and who reaches whom."""
        from tui.screens.networks import NetworksScreen

        self._open(NetworksScreen(self._app.verbs, self._app.glyphs))

    def events(self) -> None:
        """Everything that happened."""
        from tui.screens.events import EventsScreen

        self._open(EventsScreen(self._app.glyphs))

    def help(self, focused: Scope | None) -> None:
        """All keys."""
        from tui.screens.help import HelpScreen

        keymap = self._app.options.keymap
        self._open(HelpScreen(self._app.keys, focused, self._app.glyphs, keymap))

    async def environments(self) -> str | None:
        """Chooses another environment, which the app is then left for, or one to promote."""
        from tui.screens.environments import EnvironmentsScreen, PromoteFrom

        place = self._app.board.state.place
        current = (place.project, place.environment)
        screen = EnvironmentsScreen(
            self._app.verbs,
            current,
            self._app.glyphs,
            is_read_only=self._app.options.is_read_only,
        )
        chosen = await self._app.push_screen_wait(screen)
        if isinstance(chosen, PromoteFrom):
            return chosen.environment
        if chosen is not None and chosen != current:
            self._app.switch_environment(*chosen)
        return None

    def variables(self) -> None:
        """The variables, and changing them."""
        from tui.screens.variables import VariablesScreen

        is_read_only = self._app.options.is_read_only
        screen = VariablesScreen(self._app.verbs, self._app.glyphs, is_read_only=is_read_only)
        self._open(screen)

    async def theme(self) -> None:
        """Chooses a theme, seeing each one at once."""
        from tui.screens.theme import ThemeScreen

        screen = ThemeScreen(self._app.theme, self._app.glyphs)
        chosen = await self._app.push_screen_wait(screen)
        if chosen is not None:
            self._app.use_theme(chosen)

    async def open_url(self, service: Service) -> None:
        """Opens a service in the browser, and says where that is for whoever has none here."""
        url = service.live.route_url if service.live else None
        if url is None:
            self._app.warn(f"{service.name} has no URL: it is not live, or no port leads to it")
            return
        if self._app.options.server is not None and is_loopback(url):
            self._app.warn(forwarding(url, self._app.options.server))
            return
        self._app.say(url)
        if not url.startswith("http"):
            return  # no browser speaks what is spoken there
        if "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ or os.name != "posix":
            await asyncio.to_thread(webbrowser.open, url)

    async def shell(self, service: Service) -> None:
        """A shell with the environment of the live instance."""
        try:
            found = await self._app.verbs.shell(service.name)
        except CompartmentError as error:
            self._app.tell(error)
            return
        terminal = {name: os.environ[name] for name in ("TERM", "LANG") if name in os.environ}
        await self._hand_over(
            found["argv"],
            f"shell of {service.name}; `exit` leads back to the dashboard",
            cwd=found["cwd"],
            environment={**found["environment"], **terminal},
        )

    async def edit(self) -> None:
        """The project file in the person's own editor."""
        root = self._app.board.state.place.root
        project, server = self._app.verbs.project, self._app.options.server
        if project is None and server is not None:
            self._app.warn(f"the files of this project are on {server}: edit them there")
            return
        folder = project.root if project is not None else Path(root) if root else None
        file = folder / "compartment.yml" if folder else None
        if project is not None and project.files:
            file = Path(project.files[0])
        if file is None or not file.exists():
            self._app.warn("there is no project file here to edit")
            return
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
        try:
            words = shlex.split(editor)
        except ValueError as error:
            self._app.warn(f"cannot start the editor {editor}: {error}")
            return
        await self._hand_over([*words, str(file)], f"editing {file}")

    async def _hand_over(
        self,
        argv: Sequence[str],
        told: str,
        *,
        cwd: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Gives the terminal to a program; what is shown goes on in the background."""
        with self._app.handed_over():
            print(plain(told))  # noqa: T201 - the terminal is not the screen's now
            try:
                process = await asyncio.create_subprocess_exec(*argv, cwd=cwd, env=environment)
                await process.wait()
                failure = None
            except OSError as error:
                failure = f"cannot start {argv[0]}: {error.strerror or error}"
        if failure:
            self._app.warn(failure)

    def picture(self) -> None:
        """Saves what is on the screen."""
        stamp = self._app.now().strftime("%Y%m%d-%H%M%S")
        file = Path.cwd() / f"compartment-{stamp}.svg"
        try:
            write_atomically(file, self._app.export_screenshot().encode())
        except OSError as error:
            self._app.warn(f"cannot save {file}: {error.strerror or error}")
        else:
            self._app.say(f"saved {file}")
