"""Real parts for the end-to-end tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.house import house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.e2e.house import House, LabProject


@pytest.fixture
async def running(home: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    """A home folder with a running agent, which keeps enough for ten rollbacks in a row."""
    monkeypatch.setenv("COMPARTMENT_KEEP_RELEASES", "20")
    async with house(home) as found:
        yield found


@pytest.fixture
def lab(running: House, tmp_path: Path) -> LabProject:
    """The lab as a project of one `web` service."""
    project = running.lab(tmp_path)
    project.write(web={})
    return project
