"""Environments, themes, and what the palette offers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest
from textual.command import CommandPalette, Provider
from textual.widgets import Input, OptionList

from core.errors import AgentUnavailable
from tests.tui.screens.host import Clock, Hand, Host, in_sight, text_of
from tests.tui.screens.replies import HOSTILE, environment, scene, service
from tests.tui.scripted_verbs import ScriptedVerbs
from tui.keys import Key, Scope, keys_of
from tui.screens.environments import EnvironmentsScreen
from tui.screens.palette import EnvironmentCommands, ServiceCommands, ThemeCommands, VerbCommands
from tui.screens.theme import ThemeScreen
from tui.view.board import Board
from tui.view.glyphs import ASCII, UNICODE, Glyphs
from tui.view.state import Place

KNOWN = [environment("a", "blog"), environment("staging"), environment("production")]


def environments(
    verbs: ScriptedVerbs | None = None, glyphs: Glyphs = UNICODE, **options: Any
) -> EnvironmentsScreen:
    verbs = verbs or ScriptedVerbs(environments=KNOWN)
    return EnvironmentsScreen(verbs, ("shop", "production"), glyphs, **options)


async def test_environments_of_this_project_come_first_and_the_cursor_is_on_this_one() -> None:
    screen = environments()
    screen.show(scene())
    async with in_sight(screen) as pilot:
        text = text_of(pilot.app)
        order = [text.index(name) for name in ("▸ shop / production", "shop / staging", "blog")]
        assert order == sorted(order)
        assert screen.query_one(OptionList).highlighted == 0


async def test_how_long_ago_is_by_the_time_of_the_scene_which_may_come_later() -> None:
    screen = environments()
    async with in_sight(screen) as pilot:
        await pilot.press("down")
        screen.show(scene())
        await pilot.pause()
        assert text_of(pilot.app).count("succeeded  1m ") == len(KNOWN)
        assert screen.query_one(OptionList).highlighted == 1


@pytest.mark.parametrize(
    ("keys", "result"),
    [
        (["down", "enter"], ("shop", "staging")),
        (["j", "j", "enter"], ("blog", "a")),
        (["enter"], None),
        (["escape"], None),
        (["q"], None),
        (["n", *"qa", "enter"], ("shop", "qa")),
    ],
)
async def test_an_environment_is_chosen(keys: list[str], result: Any) -> None:
    async with in_sight(environments()) as pilot:
        await pilot.press(*keys)
        await pilot.pause()
        assert pilot.app.results == [result]


async def test_an_environment_is_chosen_by_mouse() -> None:
    async with in_sight(environments()) as pilot:
        row = next(at for at, line in enumerate(text_of(pilot.app).splitlines()) if "blog" in line)
        await pilot.click(offset=(10, row))
        await pilot.pause()
        assert pilot.app.results == [("blog", "a")]


async def test_a_new_name_is_explained_refused_when_it_is_none_and_left_by_escape() -> None:
    async with in_sight(environments()) as pilot:
        await pilot.press("n")
        await pilot.pause()
        assert "it opens as never deployed yet, in project shop" in text_of(pilot.app)
        await pilot.press("enter")
        await pilot.pause()
        assert "type a name for the environment" in text_of(pilot.app)
        await pilot.press("escape")
        await pilot.pause()
        assert not pilot.app.screen.query_one(Input).display
        assert pilot.app.results == []


async def test_environments_before_the_first_one_and_without_an_agent() -> None:
    async with in_sight(environments(ScriptedVerbs(environments=[]))) as pilot:
        assert "no environment was deployed yet: n names one" in text_of(pilot.app)
    gone = AgentUnavailable("the agent does not answer", hint="start it")
    async with in_sight(environments(ScriptedVerbs(environments=gone))) as pilot:
        assert "✗ the agent does not answer" in text_of(pilot.app)
        await pilot.press("enter", "escape")
        await pilot.pause()
        assert pilot.app.results == [None]


async def test_an_environment_is_not_chosen_by_what_was_typed_ahead() -> None:
    clock = Clock()
    async with in_sight(environments(clock=clock), clock) as pilot:
        await pilot.press("enter", "n", "x", "escape")
        await pilot.pause()
        assert pilot.app.results == []
        clock.at += 0.31
        await pilot.press("escape")
        await pilot.pause()
        assert pilot.app.results == [None]


@pytest.mark.parametrize("text", HOSTILE)
async def test_environments_with_any_name(text: str) -> None:
    verbs = ScriptedVerbs(environments=[environment(text, text)])
    async with in_sight(environments(verbs, ASCII), size=(120, 35)) as pilot:
        assert f"{text} / "[:40] in text_of(pilot.app)
        await pilot.press("enter")
        await pilot.pause()
        assert pilot.app.results == [(text, text)]


async def test_a_theme_is_tried_on_and_taken() -> None:
    async with in_sight(ThemeScreen("compartment-dark")) as pilot:
        await pilot.press("down")
        await pilot.pause()
        assert pilot.app.theme == "compartment-light"
        await pilot.press("enter")
        await pilot.pause()
        assert pilot.app.results == ["compartment-light"]


async def test_a_theme_that_was_only_tried_on_goes_again() -> None:
    async with in_sight(ThemeScreen("compartment-safe-dark", ASCII)) as pilot:
        assert pilot.app.theme == "compartment-safe-dark", "the cursor begins on it"
        await pilot.press("end")
        await pilot.pause()
        assert pilot.app.theme != "compartment-safe-dark"
        await pilot.press("escape")
        await pilot.pause()
        assert pilot.app.theme == "compartment-safe-dark"
        assert pilot.app.results == [None]


# Palette


@dataclass
class Options:
    keymap: dict[str, str] = field(default_factory=dict)
    is_read_only: bool = False


class PaletteApp(Host):
    """A host with what the palette asks of the dashboard."""

    COMMANDS: ClassVar = {VerbCommands, ServiceCommands, ThemeCommands, EnvironmentCommands}

    def __init__(self, *names: str, is_read_only: bool = False, answer: Any = KNOWN) -> None:
        super().__init__(ThemeScreen("compartment-dark"))
        self.options = Options({"app.deploy": "ctrl+g"}, is_read_only)
        self.verbs = ScriptedVerbs(environments=answer)
        self.board = Board(Place("shop", "production"))
        self.board.apply({"services": {name: service(name) for name in names}})
        self.done: list[tuple[Any, ...]] = []

    async def on_mount(self) -> None:
        pass

    @property
    def keys(self) -> list[Key]:
        return keys_of(*Scope, is_read_only=self.options.is_read_only)

    def __getattr__(self, name: str) -> Any:
        if name not in ("redeploy_service", "roll_back_service", "show_only", "open_service_url",
                        "open_shell", "use_theme", "switch_environment",
                        "run_service_now"):  # fmt: skip
            raise AttributeError(name)
        return lambda *arguments: self.done.append((name, *arguments))

    def action_deploy(self) -> None:
        self.done.append(("deploy",))


async def chosen(app: PaletteApp, query: str) -> None:
    """Types into the palette, and takes the first entry."""
    pilot = Hand(app)
    app.action_command_palette()
    await pilot.pause()
    palette = app.screen
    assert isinstance(palette, CommandPalette)
    await pilot.press(*query)
    while not palette.query_one(OptionList).option_count or palette._show_busy:
        await pilot.pause()
    await pilot.press("enter")
    if app.screen is palette:
        await pilot.press("enter")
    await pilot.pause()


@pytest.mark.parametrize(
    ("query", "done"),
    [
        ("redeployapi", ("redeploy_service", "api")),
        ("rollbackweb", ("roll_back_service", "web")),
        ("shellapi", ("open_shell", "api")),
        ("onlyweb", ("show_only", "web")),
        ("openapi", ("open_service_url", "api")),
        ("themenord", ("use_theme", "nord")),
        ("environmentblog", ("switch_environment", "blog", "a")),
    ],
)
async def test_the_palette_runs_what_is_chosen(query: str, done: tuple[str, ...]) -> None:
    app = PaletteApp("web", "api")
    async with app.run_test(size=(80, 24)):
        await chosen(app, query)
        assert app.done == [done]


async def test_names_with_quotes_reach_the_app_as_they_are() -> None:
    app = PaletteApp("we'b\"[/")
    async with app.run_test(size=(80, 24)):
        await chosen(app, "redeploy we")
        assert app.done == [("redeploy_service", "we'b\"[/")]


async def entries(provider: type[Provider], app: PaletteApp, query: str = "") -> list[Any]:
    made = provider(app.screen)
    hits = made.search(query) if query else made.discover()
    return [hit async for hit in hits]


async def test_the_keys_that_work_here_are_offered_at_once() -> None:
    app = PaletteApp("web")
    async with app.run_test():
        found = await entries(VerbCommands, app)
        # The host has no other action of the table.
        (deploy,) = [hit for hit in found if hit.text != "redraw"]
        assert deploy.text == "deploy"
        assert str(deploy.help) == "deploy what changed: shows the plan first  (ctrl+g)"
        await deploy.command()
        assert app.done == [("deploy",)]


async def test_a_read_only_palette_changes_nothing() -> None:
    app = PaletteApp("web", is_read_only=True)
    async with app.run_test():
        found = await entries(ServiceCommands, app, "web")
        assert [hit.text for hit in found] == ["only web", "open web"]
        assert "deploy" not in [hit.text for hit in await entries(VerbCommands, app)]


async def test_at_first_the_palette_offers_verbs_not_every_service() -> None:
    app = PaletteApp("web")
    async with app.run_test():
        assert await entries(ServiceCommands, app) == []
        assert await entries(VerbCommands, app) != []


async def test_the_palette_asks_for_environments_only_when_something_is_typed() -> None:
    app = PaletteApp("web")
    async with app.run_test():
        assert await entries(EnvironmentCommands, app) == []
        assert await entries(ThemeCommands, app) == []
        assert app.verbs.asked == []
        found = await entries(EnvironmentCommands, app, "staging")
        assert [hit.text for hit in found] == ["environment shop / staging"]


async def test_the_palette_works_without_an_agent() -> None:
    app = PaletteApp("web", answer=AgentUnavailable("gone"))
    async with app.run_test():
        assert await entries(EnvironmentCommands, app, "staging") == []
