from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.model import Stream
from tests.tui.logs.wire import START, line
from tui.logs import export
from tui.logs.record import Record

if TYPE_CHECKING:
    from pathlib import Path


def test_lines_are_saved_whole_and_never_over_others(tmp_path: Path) -> None:
    records = [Record.read(line("\x1b[31mred\x1b[0m")), Record.read(line("日本 " + "x" * 9000))]
    first = export.save(records, tmp_path, "a.log")
    second = export.save(records[:1], tmp_path, "a.log")
    assert (first.name, second.name) == ("a.log", "a-2.log")
    written = first.read_text(encoding="utf-8").splitlines()
    assert written[0] == "2026-11-21T10:00:00.000000Z web red"
    assert written[1].endswith("日本 " + "x" * 9000)
    assert len(second.read_text(encoding="utf-8").splitlines()) == 1
    assert first.stat().st_mode & 0o777 == 0o600


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        export.save([], tmp_path / "nowhere", "a.log")


@pytest.mark.parametrize(
    ("project", "expected"),
    [("shop", "shop"), ("../../etc/passwd", "_.._etc_passwd"), ("a b/ü", "a_b_ü"), ("", "project")],
)
def test_a_name_stays_in_its_folder(project: str, expected: Any) -> None:
    name = export.name_of_file(project, Stream.STDERR, START)
    local = START.astimezone()
    assert name == f"{expected}-stderr-{local:%Y%m%d-%H%M%S}.log"
    assert "/" not in name
