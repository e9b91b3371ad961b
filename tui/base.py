"""What every key of the dashboard builds on: one board, one clock, and words for the person."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from textual.app import App
from textual.events import InputEvent
from textual.screen import ModalScreen

from core import __version__
from core.agent.protocol import is_earlier
from core.errors import CompartmentError
from core.events import EventType
from tui import themes
from tui.clipboard import copy
from tui.feed.messages import Ended, Lines, LinkChanged, Message, Update
from tui.going import Going
from tui.logs.store import LogStore
from tui.mouse import Mouse
from tui.printable import Printable
from tui.screens.main import MainScreen
from tui.view.board import Board
from tui.view.glyphs import ASCII, UNICODE
from tui.view.scene import Scene
from tui.window import catch_up

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from textual.events import Event, Resize
    from textual.filter import LineFilter
    from textual.screen import Screen
    from textual.timer import Timer

    from tui.choices import Choices
    from tui.feed.messages import Feed
    from tui.options import Options
    from tui.verbs import Verbs
    from tui.view.state import Place, Service

STYLES = Path(__file__).parents[1] / "styles"

_TICK_S = 0.1
"""The one clock: three log panes at 3,000 lines a second cost least at 10 Hz (measured)."""

_SLOW_EVERY = 2
_BLURRED_EVERY = 5
"""Ticks between two frames over a slow link, and while nobody looks."""

_BUSY_EVERY = 2
_IDLE_EVERY = 10
"""Ticks between two looks at what only time changes, such as how long something has been up."""

_AT_REST_AFTER = 60
"""Ticks without a line, a key or the mouse until log panes draw with the others only.

By then their rates of lines have fallen to 0, and their searches have come to the end.
"""

_PROBLEMS_TOLD = 5
_PRINTABLE = Printable()


@runtime_checkable
class Shows(Protocol):
    """A screen that shows the present."""

    def show(self, scene: Scene) -> None:
        """Draws what differs from before."""


class BoardApp(App[Going]):
    """Folds the feed into the board, and shows it at the pace of one clock.

    It returns where to go next, or None to quit.
    """

    TITLE = "compartment"
    CSS_PATH: ClassVar = [STYLES / name for name in ("main.tcss", "logs.tcss", "screens.tcss")]

    def __init__(
        self,
        place: Place,
        services: Sequence[Service],
        feed: Feed,
        verbs: Verbs,
        options: Options,
        choices: Choices,
    ) -> None:
        # Before Textual's own part, which asks for theme and screen.
        self.board = Board(place, services)
        self.glyphs = ASCII if options.is_ascii else UNICODE
        self.store = LogStore(self.glyphs.said)
        self.feed = feed
        self.verbs = verbs
        self.options = options
        self.choices = choices
        self.selected: str | None = next(iter(self.board.state.services), None)
        self.only: str | None = None
        self.quits_when_idle = False
        self.main = MainScreen(self.store, self.glyphs)
        self.mouse = Mouse(self)
        self._ticks = 0
        self._received = 0
        self._stirred_at = 0
        self._shown: tuple[object, ...] = ()
        self._is_blurred = False
        self._was_busy = False
        self._agent_version = ""
        self._clock: Timer | None = None
        super().__init__()
        for theme in themes.THEMES:
            self.register_theme(theme)
        # Before the style sheets are read, which they would be once more for another theme.
        self.set_reactive(App.theme, options.theme or choices.theme)
        self._colours = self.get_css_variables()
        self.stylesheet.set_variables(self._colours)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Those of Textual, and the last look at what others wrote."""
        return [*super().get_line_filters(), _PRINTABLE]

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own colours, for themes that do not know them."""
        return themes.variable_defaults(self.current_theme)

    def refresh_css(self, animate: bool = True) -> None:  # noqa: FBT001, FBT002 - Textual's own
        """Reads the style sheets again, if the colours are others.

        Textual asks for it at the start as well, which would be a part of the time to the first
        frame that one can see.
        """
        colours = self.get_css_variables()
        if colours != self._colours:
            self._colours = colours
            super().refresh_css(animate=animate)

    def get_default_screen(self) -> Screen[Any]:
        """The main screen."""
        return self.main

    def on_mount(self) -> None:
        """Starts the clock."""
        self.mutate_reactive(App.theme)  # for all of it that is not in the style sheets
        self.set_class(self.glyphs.is_ascii, "-ascii")
        self.set_keymap(dict(self.options.keymap))
        if self.options.greeting:
            self.say(self.options.greeting)
        for warning in self.options.warnings:
            self.warn(warning)
        # Whoever had the terminal meanwhile, we have come back with the mouse.
        self.app_resume_signal.subscribe(self, lambda _: self.mouse.take_back())
        self._clock = self.set_interval(_TICK_S, self._tick)
        self.call_after_refresh(self.show_present)

    def take(self, message: Message) -> None:
        """Takes over what the feed tells."""
        match message:
            case Update(body):
                for event in self.board.apply(body):
                    self._hear(event)
                self._mind_version()
            case Lines(lines):
                self.store.push(lines)
            case LinkChanged(at, is_up, reason):
                self.board.change_link(at, is_up=is_up, reason=reason)
                if is_up:
                    self._load_history()
            case Ended():
                self.say("the recording has ended")

    def _hear(self, event: Mapping[str, Any]) -> None:
        """Tells of what a person may have turned away from; the main screen says it by itself."""
        has_ended = event["type"] == EventType.RUN_FINISHED
        has_failed = has_ended and event.get("status") == "failed"
        if has_ended and self.screen is not self.main:
            self.notify(
                event["message"].partition("\n")[0],
                title=event["deploymentRunId"],
                severity="error" if has_failed else "information",
                markup=False,
            )
        if has_ended and self._is_blurred:
            self.bell()
        if has_ended:
            self._load_history()

    def _mind_version(self) -> None:
        """Says once that an agent is of a later version, which may tell what is not shown here."""
        version = self.board.state.place.agent_version
        if self.options.is_replay or version == self._agent_version:
            return
        self._agent_version = version
        if is_earlier(__version__, version):
            self.warn(
                f"the agent is of version {version} now, and this window of {__version__}:"
                " it goes on; to see what is new, leave it and open it again"
            )

    def _load_history(self) -> None:
        """Asks for the last runs anew, for the history pane."""
        # Not its coroutine: a worker that is replaced before it began would never await it.
        work: Any = self._load_runs
        self.run_worker(work, group="runs", exclusive=True)

    async def _load_runs(self) -> None:
        # Without an answer, of a recording too, the pane has the runs that the feed told of.
        with suppress(CompartmentError):
            self.main.history.show_runs(await self.verbs.runs())

    def now(self) -> datetime:
        """The time of the feed."""
        return self.feed.now()

    @property
    def service(self) -> Service | None:
        """The service under the cursor."""
        return self.board.state.services.get(self.selected or "")

    def exit(self, *result: Any, **options: Any) -> None:
        """Ends the app; from now on its screens lose their widgets, and nothing is shown."""
        if self._clock is not None:
            self._clock.stop()
        super().exit(*result, **options)

    def _tick(self) -> None:
        self._ticks += 1
        every = (
            _BLURRED_EVERY if self._is_blurred else _SLOW_EVERY if self.options.is_slow_link else 1
        )
        if self._ticks % every:
            return
        if self.quits_when_idle and not self.board.state.is_busy:
            self.exit()
            return
        self.mouse.settle()
        if not self._can_differ():
            return
        with self.batch_update():
            self.show_present()
            is_seen = self.screen is self.main or isinstance(self.screen, ModalScreen)
            if is_seen and not self.mouse.is_lent:
                self.main.flush(self.now())

    async def on_event(self, event: Event) -> None:
        """Whatever a person does can have log panes at work for some ticks."""
        if isinstance(event, InputEvent):
            self._stirred_at = self._ticks
        await super().on_event(event)

    def _can_differ(self) -> bool:
        if self._received != self.store.received:
            self._received = self.store.received
            self._stirred_at = self._ticks
        return self._ticks - self._stirred_at < _AT_REST_AFTER or self._seen() != self._shown

    def _seen(self) -> tuple[object, ...]:
        """All that what is seen depends on, but for log lines."""
        beat = self._ticks // (_BUSY_EVERY if self.board.state.is_busy else _IDLE_EVERY)
        here = (self.selected, self.only, id(self.screen))
        return (self.board.version, beat, *here, self._notes())

    def show_present(self) -> None:
        """Hands the present to the screens that are seen, if anything can be different."""
        seen = self._seen()
        if seen == self._shown:
            return
        self._shown = seen
        if self.board.state.is_busy is not self._was_busy:
            self._was_busy = self.board.state.is_busy
            self.screen.refresh_bindings()
        scene = self.scene()
        for screen in reversed(self.screen_stack):
            if isinstance(screen, Shows):
                screen.show(scene)
            if not isinstance(screen, ModalScreen):
                break

    def scene(self) -> Scene:
        """The present."""
        return Scene(
            state=self.board.state,
            now=self.now(),
            selected=self.selected,
            only=self.only,
            trends=self.board.trends,
            events=self.board.events,
            glyphs=self.glyphs,
            server=self.options.server,
            notes=self._notes(),
        )

    def _notes(self) -> tuple[str, ...]:
        """What else is so, besides the state of the environment."""
        leaving = ("leaves when the run ends",) if self.quits_when_idle else ()
        return (*self.options.notes, *leaving, *self.mouse.notes)

    def copy_to_clipboard(self, text: str) -> None:
        """Copies a text the same way wherever it was selected, and says so."""
        self.say(copy(self, text))

    def on_resize(self, event: Resize) -> None:
        """Is as large as the window, whatever Textual has made of it."""
        catch_up(self, event.size)

    def on_app_blur(self) -> None:
        """Draws less often while nobody looks."""
        self._is_blurred = True

    def on_app_focus(self) -> None:
        """Somebody looks again."""
        self._is_blurred = False

    def say(self, text: str) -> None:
        """Something that was asked for has been done. Never markup: it names files, services."""
        self.notify(text, markup=False)

    def warn(self, text: str) -> None:
        """Something could not be done."""
        self.notify(text, severity="warning", markup=False)

    def tell(self, error: CompartmentError) -> None:
        """An error in its own words."""
        problems = [str(problem) for problem in getattr(error, "problems", ())]
        lines = [error.message, *problems[:_PROBLEMS_TOLD], *([error.hint] if error.hint else [])]
        self.notify("\n".join(lines), severity="error", timeout=10, markup=False)
