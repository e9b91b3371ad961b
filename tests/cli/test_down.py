from __future__ import annotations

import pytest

from core.cli.down import _line

TARGET = {"project": "shop", "environment": "staging"}


@pytest.mark.parametrize(
    ("stopped", "with_volumes", "line"),
    [
        (["db", "web"], False, "stopped in shop/staging: db, web"),
        (["db"], True, "stopped in shop/staging: db; its volumes are deleted"),
        ([], False, "nothing to stop in shop/staging"),
        ([], True, "nothing to stop in shop/staging; its volumes are deleted"),
    ],
)
def test_what_is_gone_is_told(stopped: list[str], with_volumes: bool, line: str) -> None:
    assert _line({**TARGET, "stopped": stopped}, with_volumes=with_volumes) == line
