"""The files that Envoy is told by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.errors import GatewayUnavailable
from core.gateway.told import Told

if TYPE_CHECKING:
    from pathlib import Path


def test_what_was_written_last_is_read_whoever_wrote_it(tmp_path: Path) -> None:
    ours, another = Told(tmp_path), Told(tmp_path)
    assert ours.resources("clusters") == []
    assert ours.version("clusters") is None
    for number in range(50):
        # Files of one size and, as clocks go, of one time; the inode may come back, too.
        writer = another if number % 3 == 0 else ours
        writer.write("clusters", f"{number:02}", [{"name": f"{number:02}"}])
        assert ours.resources("clusters") == [{"name": f"{number:02}"}]
        assert another.resources("clusters") == [{"name": f"{number:02}"}]
        assert ours.version("clusters") == f"{number:02}"


def test_what_is_refused_does_not_stay(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.write("public", "1", [{"name": "old"}])

    def be_refused() -> None:
        with told.restored_on_failure("public", "internal"):
            told.write("public", "2", [{"name": "new"}])
            assert told.resources("public") == [{"name": "new"}]
            raise GatewayUnavailable("refused")

    with pytest.raises(GatewayUnavailable):
        be_refused()
    assert told.resources("public") == [{"name": "old"}]
    assert not told.has("internal")


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    with pytest.raises(GatewayUnavailable, match="cannot write the gateway's configuration"):
        Told(tmp_path / "missing").write("public", "1", [])
