"""The platform's own lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.lines import LINE_LIMIT
from core.logs.reader import LogQuery, LogSource, read
from core.logs.writer import CompartmentLog
from core.model import Stream


def messages(logs: Path, deployment_id: str) -> list[str]:
    lines = read(logs, [LogSource(deployment_id, "web", "production")], LogQuery())
    assert {line.stream for line in lines} <= {Stream.COMPARTMENT}
    return [line.message for line in lines]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("stage: building", ["stage: building"]),
        ("two\nlines\n", ["two", "lines"]),
        ("", [""]),
        ("\x1b]0;x\x07a\u202eb", ["ab"]),
        ("x" * (LINE_LIMIT + 1), ["x" * LINE_LIMIT + " … [1 more characters]"]),
    ],
)
def test_write(tmp_path: Path, text: str, kept: list[str]) -> None:
    log = CompartmentLog(tmp_path)
    log.write("dep_a", text)
    assert messages(tmp_path, "dep_a") == kept
    log.close()


def test_secrets_are_hidden_before_a_line_is_cut(tmp_path: Path) -> None:
    log = CompartmentLog(tmp_path)
    log.mask.add(["hunter22", "first line\nsecond line"])
    log.write("dep_a", "failed: first line\nsecond line")
    log.write_many("dep_a", ["is second line", "x" * (LINE_LIMIT - 4) + "hunter22"])
    log.close()
    kept = messages(tmp_path, "dep_a")
    assert kept == ["failed: ***", "is ***", "x" * (LINE_LIMIT - 4) + "***"]


def test_lines_written_together_have_one_time(tmp_path: Path) -> None:
    log = CompartmentLog(tmp_path)
    log.write_many("dep_a", ["one", "two"])
    log.close()
    lines = read(tmp_path, [LogSource("dep_a", "web", "production")], LogQuery())
    assert [line.message for line in lines] == ["one", "two"]
    assert lines[0].at == lines[1].at


def test_few_files_are_open_at_a_time(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    log = CompartmentLog(tmp_path)
    for _ in range(2):
        for number in range(100):
            log.write(f"dep_{number}", "x")
    assert len(list(Path("/proc/self/fd").iterdir())) - before <= 32
    log.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert messages(tmp_path, "dep_0") == ["x", "x"]
