"""A settings file and an environment of an unusual name, on the real program."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psutil
import pytest

from core.config.settings import settings_file
from tests.e2e.house import house
from tests.load.load import Load

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = """\
base_domain = "apps.example.com"
gateway_workers = 2
stop_grace_seconds = 5
"""
ENVIRONMENT = "日本 / 🚀"


@pytest.mark.timeout(120)
async def test_deploys_with_two_workers_lose_nothing(home: Path, tmp_path: Path) -> None:
    file = settings_file(os.environ)
    file.parent.mkdir(parents=True)
    file.write_text(SETTINGS)
    async with house(home) as running:
        lab = running.lab(tmp_path)
        lab.write(web={})
        await running.deployed(lab, environment=ENVIRONMENT)
        query = {"project": lab.name, "environment": ENVIRONMENT}
        (serving,) = (await running.client.status(query))["activeDeployments"]
        host = urlsplit(serving["routeUrl"]).hostname
        assert host is not None
        assert re.fullmatch(r"web-lab-[0-9a-f]{6}\.apps\.example\.com", host)

        async with Load(await running.target(host)) as load:
            for _ in range(2):
                await load.has_sent(load.report().sent + 100)
                lab.bump()
                await running.deployed(lab, environment=ENVIRONMENT)
            await load.has_sent(load.report().sent + 100)
        report = load.report()
        assert [str(loss) for loss in report.lost] == []
        command = psutil.Process(running.gateway_pid()).cmdline()
    assert command[command.index("--concurrency") + 1] == "2"
