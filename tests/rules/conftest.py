"""What the rules are held against."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rules.shop import Shop, shop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def a_shop(home: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    """A project that is not deployed yet."""
    async with shop(home, monkeypatch) as found:
        yield found
