"""The platform outlives the bugs of what it does all the time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from core import platform
from core.config.settings import Settings
from core.files import Home
from core.health.watch import HealthWatch
from core.platform import Platform

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


async def test_a_watch_that_ends_by_a_bug_is_begun_again(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(platform, "_PAUSE_AFTER_BUG_S", 0)
    begun, again = 0, asyncio.Event()

    async def follow(_: HealthWatch) -> None:
        nonlocal begun
        begun += 1
        if begun == 1:
            raise KeyError("a bug")
        again.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(HealthWatch, "follow", follow)
    async with Platform.running(Home(home), Settings(port=0, internal_port=0)) as found:
        async with asyncio.timeout(60):
            await again.wait()
        assert found.failure is None
    assert "begun again" in caplog.text
