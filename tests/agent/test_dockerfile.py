"""Which Dockerfile the agent shows for a service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.errors import CompartmentError, ConfigError, NotFound
from tests.agent.inside import agent_inside

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = """\
name: shop
services:
  web: {{path: web, build: {{strategy: {strategy}}}}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "main.py").write_text("print('here')\n")
    return tmp_path


async def shown(home: Path, folder: Path, strategy: str, service: str = "web") -> Any:
    (folder / "compartment.yml").write_text(PROJECT.format(strategy=strategy))
    async with agent_inside(home) as (_, agent):
        try:
            return await agent.dockerfile({"root": str(folder), "service": service})
        except CompartmentError as error:
            return error


@pytest.mark.parametrize("strategy", ["auto", "dockerfile"])
async def test_its_own_is_named(home: Path, folder: Path, strategy: str) -> None:
    (folder / "web" / "Dockerfile").write_text("FROM scratch\n")

    assert await shown(home, folder, strategy) == {
        "project": "shop",
        "serviceName": "web",
        "file": str(folder / "web" / "Dockerfile"),
        "dockerfile": None,
    }


@pytest.mark.parametrize(("strategy", "has_own"), [("auto", False), ("railpack", True)])
async def test_another_is_generated(
    home: Path, folder: Path, strategy: str, *, has_own: bool
) -> None:
    if has_own:
        (folder / "web" / "Dockerfile").write_text("FROM scratch\n")

    found = await shown(home, folder, strategy)

    assert found["file"] is None
    assert "\nFROM python:" in f"\n{found['dockerfile']}"


async def test_one_that_has_to_be_there(home: Path, folder: Path) -> None:
    found = await shown(home, folder, "dockerfile")

    assert isinstance(found, ConfigError)
    assert found.message == "service web has no Dockerfile in web"


async def test_of_a_service_that_is_not_there(home: Path, folder: Path) -> None:
    found = await shown(home, folder, "auto", "wbe")

    assert isinstance(found, NotFound)
    assert found.message == "there is no service wbe in shop"


async def test_a_folder_that_nothing_can_be_made_of(home: Path, folder: Path) -> None:
    (folder / "web" / "main.py").rename(folder / "web" / "notes.txt")

    assert isinstance(await shown(home, folder, "auto"), ConfigError)
