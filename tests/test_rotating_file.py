"""The file that keeps lines: bounded, private, and never in the way."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from core.lines import (
    Line,
    RotatingFile,
    decode,
    encode,
    part,
)
from core.model import Stream

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

AT = "2026-04-24T10:01:00.123456Z"
COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
HOSTILE = st.lists(
    st.sampled_from(
        ["\x1b", "[", "]", "31m", "m", "0;", "\x07", "\x9b", "\x9d", "\x9c", "\\", "P", "\r", "\t"]
    )
    | st.characters(),
    max_size=40,
).map("".join)


def lines_of(*texts: str) -> list[Line]:
    return [Line(AT, Stream.STDOUT, text) for text in texts]


def kept(path: Path) -> list[str]:
    found = [decode(raw) for raw in path.read_bytes().splitlines(keepends=True)]
    return [line.text if line else "damaged" for line in found]


def test_file_appends_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "new" / "x.log"
    for text in ("a", "b"):
        file = RotatingFile(path)
        file.append([])
        file.append(lines_of(text, text * 2))
        file.close()
    assert kept(path) == ["a", "aa", "b", "bb"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_file_rotates_within_its_bounds(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    file = RotatingFile(path, size_bytes=200, parts=3)
    for number in range(100):
        file.append(lines_of(f"line {number:03}"))
    file.close()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["x.log", "x.log.1", "x.log.2"]
    assert all(each.stat().st_size <= 200 for each in tmp_path.iterdir())
    texts = [text for number in (2, 1, 0) for text in kept(part(path, number))]
    assert texts == [f"line {number:03}" for number in range(100 - len(texts), 100)]
    assert len(texts) > 10


def test_file_goes_on_with_the_size_it_finds(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    for number in range(4):
        file = RotatingFile(path, size_bytes=100)
        file.append(lines_of(f"{number}" * 30))
        file.close()
    assert kept(path) == ["3" * 30]


def test_lost_lines_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.symlink_to("/dev/full")
    file = RotatingFile(path)
    file.append(lines_of("a", "b"))
    file.append(lines_of("c"))
    path.unlink()
    file.append(lines_of("d"))
    file.append(lines_of("e"))
    file.close()
    assert kept(path) == ["3 lines lost: No space left on device", "d", "e"]


def test_a_torn_line_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(encode(Line(AT, Stream.STDOUT, "whole")) + b"2026-04-24T10")
    file = RotatingFile(path)
    file.append(lines_of("next"))
    file.close()
    assert kept(path) == ["whole", "damaged", "next"]


def test_a_half_written_batch_counts_only_what_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.log"
    file = RotatingFile(path)
    file.append(lines_of("first"))
    write, room = os.write, 90

    def write_with_little_room(descriptor: int, data: bytes) -> int:
        nonlocal room
        if not room:
            raise OSError(28, "No space left on device")
        written = write(descriptor, data[:room])
        room -= written
        return written

    monkeypatch.setattr(os, "write", write_with_little_room)
    file.append(lines_of("a", "b", "c", "d"))
    file.append(lines_of("e"))
    room = 100_000
    file.append(lines_of("f"))
    file.close()
    texts = kept(path)
    assert texts[:3] == ["first", "a", "b"]
    assert texts[-2:] == ["3 lines lost: No space left on device", "f"]
    assert len(texts) == 6
