"""What an agent does with its settings, and what wins over what."""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING

import pytest

from core.agent.daemon import _settings
from core.agent.launcher import _environment
from core.config.settings import LISTENER_SETTINGS, Settings
from core.errors import Conflict, EngineUnavailable
from core.files import Home
from core.gateway.table import Ports
from core.platform import Platform

if TYPE_CHECKING:
    from pathlib import Path


def told(**flags: object) -> argparse.Namespace:
    return argparse.Namespace(**{**dict.fromkeys(LISTENER_SETTINGS), **flags})


def test_flags_win_over_variables_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "c.toml").write_text('port = 1\ninternal_port = 2\nhost = "::1"\n')
    monkeypatch.setenv("COMPARTMENT_CONFIG", str(tmp_path / "c.toml"))
    monkeypatch.setenv("COMPARTMENT_PORT", "11")
    monkeypatch.setenv("COMPARTMENT_INTERNAL_PORT", "12")

    found = _settings(told(port=21))

    assert (found.port, found.internal_port, found.host) == (21, 12, "::1")


def test_an_agent_finds_the_file_that_its_starter_means(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMPARTMENT_CONFIG", "here.toml")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))

    passed = _environment(Home(home))

    assert passed["COMPARTMENT_CONFIG"] == str(tmp_path / "here.toml")
    assert passed["XDG_CONFIG_HOME"] == str(tmp_path / "xdg")


async def test_the_platform_follows_them(home: Path) -> None:
    settings = Settings(
        port=0,
        internal_port=0,
        base_domain="apps.example.com",
        keep_releases=3,
        concurrent_builds=2,
        gateway_workers=4,
        stop_grace_seconds=0.5,
    )
    async with Platform.running(Home(home), settings) as platform:
        assert platform.parts.kept_releases == 3
        assert platform.parts.stop_grace_s == 0.5
        assert platform.parts.router.hosts._base_domain == "apps.example.com"
        assert platform.gateway.envoy._workers == 4
        async with platform.parts.build_slots, platform.parts.build_slots:
            assert platform.parts.build_slots.locked()


async def test_what_was_listened_on_before_is_kept_unless_it_is_set(home: Path) -> None:
    async def ports(settings: Settings) -> Ports:
        async with Platform.running(Home(home), settings) as platform:
            return platform.gateway.ports

    assert await ports(Settings()) == Ports(8080, 8081)
    assert await ports(Settings(port=9000, host="::1")) == Ports(9000, 8081, "::1")
    assert await ports(Settings()) == Ports(9000, 8081, "::1")
    assert await ports(Settings(internal_port=9001)) == Ports(9000, 9001, "::1")
    with pytest.raises(Conflict, match="cannot be both"):
        await ports(Settings(internal_port=9000))
    assert await ports(Settings()) == Ports(9000, 9001, "::1")
    assert await ports(Settings(https_port=9002)) == Ports(9000, 9001, "::1", 9002)
    assert await ports(Settings()) == Ports(9000, 9001, "::1", 9002)


@pytest.mark.parametrize(
    ("engine", "asked", "because"),
    [
        ("process", "auto", "the settings name it"),
        ("process", "process", "it was asked for"),
        ("docker", "process", "it was asked for"),
    ],
)
async def test_the_engine_of_a_first_deploy(
    home: Path, engine: str, asked: str, because: str
) -> None:
    settings = Settings.model_validate({"engine": engine})
    async with Platform.running(Home(home), settings) as platform, asyncio.timeout(30):
        chosen = await platform.parts.engines.choose(asked, {}, None)

    assert (chosen.engine.name, chosen.because) == ("process", because)
    assert not chosen.is_second_choice


async def test_an_engine_that_is_set_is_not_replaced_by_another(home: Path) -> None:
    nowhere = {"DOCKER_HOST": f"unix://{home}/none.sock"}
    async with Platform.running(Home(home), Settings(engine="docker")) as platform:
        with pytest.raises(EngineUnavailable):
            await platform.parts.engines.choose("auto", nowhere, None)
