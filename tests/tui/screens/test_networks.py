"""The screen of networks: what it asks for, and what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.container import Container, Network, NetworkLink
from core.errors import AgentUnavailable, NotFound
from core.model import Project, Service, ServiceKind
from tests.tui.screens.host import Host, opened, settle, text_of
from tests.tui.screens.replies import deployment, networks, scene, service
from tests.tui.scripted_verbs import ScriptedVerbs
from tui.screens.networks import NetworksScreen
from tui.view.glyphs import ASCII, UNICODE

NEVER = NotFound("project shop was never deployed", hint="deploy it: compartment deploy")


def verbs_with(project: Project | None = None, **answers: Any) -> ScriptedVerbs:
    return ScriptedVerbs(project, **{"networks": networks(), **answers})


def compose_project(*files: str) -> Project:
    db = Service("db", ".", ServiceKind.TCP,
                 container=Container(networks=(NetworkLink(Network("backend")),)))  # fmt: skip
    return Project("shop", Path("/srv/shop"), {"db": db}, files=files)


async def test_who_cannot_reach_whom_is_seen_at_one_look() -> None:
    async with opened(NetworksScreen(verbs_with(), UNICODE), scene(), size=(80, 35)) as pilot:
        text = text_of(pilot.app)
        assert "Networks: 2 networks  shop / production" in text
        assert "a  backend  internal: no way out" in text
        assert "nginx   b    -          -      -       80" in text
        assert "http://web.shop.localhost:8080  ⟶  web" in text


async def test_it_is_asked_again_when_something_else_is_active() -> None:
    verbs = verbs_with()
    screen = NetworksScreen(verbs, UNICODE)
    async with opened(screen, scene()) as pilot:
        screen.show(scene())
        await settle(pilot)
        assert verbs.asked == [("networks",)]
        live = service("web", live=deployment("dep_web2", "web"))
        screen.show(scene(services={"web": live}))
        await settle(pilot)
        assert verbs.asked == [("networks",)] * 2


async def test_compose_files_are_shown_before_they_are_deployed() -> None:
    verbs = verbs_with(compose_project("/srv/shop/compose.yaml"), networks=NEVER)
    async with opened(NetworksScreen(verbs, UNICODE), scene()) as pilot:
        text = text_of(pilot.app)
        assert "not deployed yet: as the files have it" in text
        assert "a  backend  with a way out" in text


async def test_what_was_never_deployed_and_has_no_compose_file_says_so() -> None:
    verbs = verbs_with(compose_project(), networks=NEVER)
    async with opened(NetworksScreen(verbs, UNICODE), scene()) as pilot:
        assert "project shop was never deployed" in text_of(pilot.app)


async def test_without_an_agent_it_says_so() -> None:
    gone = AgentUnavailable("the agent does not answer")
    async with opened(NetworksScreen(verbs_with(networks=gone), UNICODE), scene()) as pilot:
        assert "✗ the agent does not answer" in text_of(pilot.app)


async def test_in_ascii_through_every_size() -> None:
    screen = NetworksScreen(verbs_with(), ASCII)
    screen.show(scene(ASCII))
    app = Host(screen)
    async with app.run_test(size=(200, 50)) as pilot:
        for size in ((200, 50), (60, 50), (80, 24), (120, 35)):
            await pilot.resize_terminal(*size)
            await settle(pilot)
            assert text_of(app).isascii()
            assert "a  backend" in text_of(app)
