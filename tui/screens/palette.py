"""What the command palette offers: every key by name, services with verbs, themes, environments."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from core.errors import CompartmentError
from tui.view.help import keys_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from textual.dom import DOMNode

    from tui.keys import Key
    from tui.verbs import Verbs
    from tui.view.board import Board
    from tui.view.state import Service


class PaletteOptions(Protocol):
    """What the palette needs to know of how the dashboard was started."""

    @property
    def keymap(self) -> Mapping[str, str]:
        """Ids of actions with their keys, where they are not those of the table."""

    @property
    def is_read_only(self) -> bool:
        """Whether nothing may be changed."""


class PaletteHost(Protocol):
    """What the palette needs of the app besides Textual's own."""

    board: Board
    verbs: Verbs

    @property
    def options(self) -> PaletteOptions:
        """How the dashboard was started."""

    @property
    def keys(self) -> Sequence[Key]:
        """The keys that do something here."""

    def redeploy_service(self, name: str) -> None:
        """Asks, then replaces one service."""

    def roll_back_service(self, name: str) -> None:
        """Asks, then rolls one service back."""

    def run_service_now(self, name: str) -> None:
        """Asks, then runs a job or cron."""

    def show_only(self, name: str | None) -> None:
        """Shows only one service in the log panes."""

    def open_service_url(self, name: str) -> None:
        """Opens the URL of a service."""

    def open_shell(self, name: str) -> None:
        """A shell in a service."""

    def use_theme(self, name: str) -> None:
        """Uses a theme, now and the next time."""

    def switch_environment(self, project: str, environment: str) -> None:
        """Shows another environment."""


class Command(NamedTuple):
    """One entry: what it is called, what it does in a sentence, and how."""

    text: str
    help: str
    run: Callable[[], Any]


class Commands(Provider):
    """Entries that are known, found by their letters."""

    NEEDS_QUERY: ClassVar = True
    """Whether there are none before something is typed: too many, or the agent must be asked."""

    @property
    def host(self) -> PaletteHost:
        """The app."""
        return cast("PaletteHost", self.app)

    def commands(self) -> list[Command]:
        """The entries in their order; must be instant."""
        raise NotImplementedError

    async def discover(self) -> Hits:
        """What is offered before anything is typed."""
        for each in () if self.NEEDS_QUERY else self.commands():
            yield DiscoveryHit(Content(each.text), each.run, each.text, _as_it_is(each.help))

    async def search(self, query: str) -> Hits:
        """Those that have the letters of the query in their order."""
        matcher = self.matcher(query)
        for each in self.commands():
            score, offsets = matcher.fuzzy_search.match(query, each.text)
            if score > 0:
                # The matcher's own highlighting would take the text for markup.
                shown = Content(each.text)
                for offset in offsets:
                    shown = shown.stylize(matcher.match_style, offset, offset + 1)
                yield Hit(score, shown, each.run, each.text, _as_it_is(each.help))


def _as_it_is(text: str) -> str:
    """The text as content, which the palette takes over where it would read a str as markup."""
    return cast("str", Content(text))


class VerbCommands(Commands):
    """Every key of the table that the palette has a use for, and that works where it is opened."""

    NEEDS_QUERY = False

    def commands(self) -> list[Command]:
        """The label, and in the second line what it does and its keys."""
        keymap = self.host.options.keymap
        return [
            Command(
                key.label,
                f"{key.help}  ({keys_text(key, keymap)})",
                partial(self.app.run_action, key.action, node),
            )
            for key in self.host.keys
            if key.in_palette
            for node in self._nodes(key)[:1]
        ]

    def _nodes(self, key: Key) -> list[DOMNode]:
        """Who has the action, what is in focus first; nobody where the key does not work."""
        name = f"action_{key.action.partition('(')[0]}"
        focused = self.focused
        chain = [*focused.ancestors_with_self] if focused else [self.screen, self.app]
        return [node for node in chain if hasattr(node, name)]


class ServiceCommands(Commands):
    """Each service with each verb: `redeploy web`."""

    def commands(self) -> list[Command]:
        """The verbs of one service after those of another."""
        host = self.host
        changing = () if host.options.is_read_only else (
            ("redeploy", "replace it", host.redeploy_service),
            ("roll back", "return to its previous deployment", host.roll_back_service),
            ("shell", "a shell in its folder or container, with its environment", host.open_shell),
        )  # fmt: skip
        verbs = (
            *changing,
            ("only", "only its lines in the log panes", host.show_only),
            ("open", "open its URL", host.open_service_url),
        )
        runs = ("run now", "run it now", host.run_service_now)
        return [
            Command(f"{verb} {name}", f"{name}: {does}", partial(run, name))
            for name, each in host.board.state.services.items()
            for verb, does, run in (*([runs] if self._is_run(each) else []), *verbs)
        ]

    def _is_run(self, service: Service) -> bool:
        return not (service.kind.is_long_running or self.host.options.is_read_only)


class ThemeCommands(Commands):
    """Each theme by name."""

    def commands(self) -> list[Command]:
        """All that are registered."""
        return [
            Command(f"theme {name}", "use these colours", partial(self.host.use_theme, name))
            for name in sorted(self.app.available_themes)
        ]


class EnvironmentCommands(Commands):
    """Each environment by name."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._places: list[tuple[str, str]] | None = None

    async def search(self, query: str) -> Hits:
        """Asks the agent once; without an answer there are none."""
        if self._places is None:
            self._places = []
            with suppress(CompartmentError):
                found = await self.host.verbs.environments()
                self._places = [(each["project"], each["environment"]) for each in found]
        async for hit in super().search(query):
            yield hit

    def commands(self) -> list[Command]:
        """All that the agent knows."""
        return [
            Command(
                f"environment {project} / {environment}",
                "switch to it",
                partial(self.host.switch_environment, project, environment),
            )
            for project, environment in self._places or ()
        ]
