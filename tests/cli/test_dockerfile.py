"""The command that shows a Dockerfile, in front of a stand-in for the agent."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING

import pytest

from core.files import Home
from tests.cli.agent import constant, scripted_agent
from tests.cli.conftest import Cli, Done

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = "import sys; from core.cli.main import run; sys.exit(run())"
GENERATED = {"project": "shop", "serviceName": "web", "file": None, "dockerfile": "FROM a\nRUN b\n"}
OWN = {**GENERATED, "file": "/shop/web/Dockerfile", "dockerfile": None}


async def run(folder: Path, *arguments: str) -> Done:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, "dockerfile", *arguments, cwd=folder,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    return Done(process.returncode or 0, out.decode(), err.decode())


async def test_a_generated_one_can_be_saved_as_it_is(shop: Path, home: Path) -> None:
    async with scripted_agent(Home(home)) as agent:
        agent.answers["/v1/dockerfile"] = constant(GENERATED)
        done = await run(shop, "--service", "web")

    assert done == Done(0, "FROM a\nRUN b\n", "")
    assert agent.asked[-1].endswith("&service=web")


async def test_of_an_own_one_the_path_is_told(shop: Path, home: Path) -> None:
    async with scripted_agent(Home(home)) as agent:
        agent.answers["/v1/dockerfile"] = constant(OWN)
        text = await run(shop, "--service", "web")
        document = await run(shop, "--service", "web", "--output", "json")

    assert text.out == "/shop/web/Dockerfile\n"
    assert json.loads(document.out) == OWN


@pytest.mark.parametrize("name", [".", "compartment.yml"])
async def test_of_a_project_elsewhere(shop: Path, home: Path, tmp_path: Path, name: str) -> None:
    (shop / "compartment.yml").write_text("name: shop\nservices: {only: .}\n")
    (shop / "compartment.routes.yml").unlink()
    async with scripted_agent(Home(home)) as agent:
        agent.answers["/v1/dockerfile"] = constant(GENERATED)
        done = await run(tmp_path, str(shop / name))

    assert done.code == 0
    assert agent.asked[-1].endswith("&service=only")


def test_a_service_has_to_be_named_where_there_are_several(cli: Cli, shop: Path) -> None:
    done = cli("dockerfile")

    assert done.code == 2
    assert "whose Dockerfile: shop has web, backoffice" in done.err
    assert "--service NAME" in done.err


def test_a_service_that_is_not_there(cli: Cli, shop: Path) -> None:
    done = cli("dockerfile", str(shop), "--service", "wbe")

    assert done.code == 2
    assert 'did you mean "web"?' in done.err


def test_no_project_there(cli: Cli, tmp_path: Path) -> None:
    assert "does not exist" in cli("dockerfile", str(tmp_path / "none")).err
