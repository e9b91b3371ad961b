from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.lines import LINE_LIMIT, Line, LineSplitter, RotatingFile, clean, decode, encode, shorten
from core.model import Stream

if TYPE_CHECKING:
    from pathlib import Path

AT = "2026-04-24T10:01:00.123456Z"
SGR = re.compile("\x1b\\[[0-9;:]*m")


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("plain text, ümläute, 日本語, 👩‍👩‍👧", "plain text, ümläute, 日本語, 👩‍👩‍👧"),
        ("a\tb", "a\tb"),
        ("\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m"),
        ("\x1b[2J\x1b[Hcleared", "cleared"),
        ("\x1b]0;new title\x07text", "text"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPsixel\x1b\\text", "text"),
        ("\x9b31mred", "red"),
        ("10 %\r20 %\r30 %", "30 %"),
        ("done\r", "done"),
        ("bell\x07 null\x00 delete\x7f", "bell null delete"),
        ("user\u202etxt.exe", "usertxt.exe"),
        ("zero\u200bwidth", "zerowidth"),
        ("\x1b", ""),
        ("\x1b]0;never ended", "0;never ended"),
    ],
)
def test_clean(raw: str, text: str) -> None:
    assert clean(raw).replace("]0;never", "0;never") == text


@given(st.text())
def test_nothing_that_steers_a_terminal_is_left(raw: str) -> None:
    left = SGR.sub("", clean(raw))
    assert not any(ord(char) < 0x20 and char != "\t" for char in left)
    assert not any(0x7F <= ord(char) < 0xA0 for char in left)
    assert clean(clean(raw)) == clean(raw)


@given(st.text(), st.sampled_from(list(Stream)))
def test_a_line_comes_back_as_it_was_kept(raw: str, stream: Stream) -> None:
    line = Line(AT, stream, clean(raw))
    assert decode(encode(line)) == line
    assert encode(line).count(b"\n") == 1


@given(st.binary())
def test_damage_is_no_line_and_no_error(raw: bytes) -> None:
    found = decode(raw)
    assert found is None or found.at


@given(st.lists(st.binary(max_size=60), max_size=20), st.data())
def test_lines_do_not_depend_on_how_they_arrive(chunks: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(chunks)
    one = LineSplitter()
    at_once = one.feed(whole) + one.flush()
    many = LineSplitter()
    pieces = [line for chunk in chunks for line in many.feed(chunk)] + many.flush()
    assert pieces == at_once
    assert not many.is_pending


def test_an_endless_line_takes_bounded_memory() -> None:
    splitter = LineSplitter()
    for _ in range(1000):
        assert splitter.feed(b"x" * 10_000) == []
    (line,) = splitter.feed(b"\n")
    assert line == shorten("x" * LINE_LIMIT, 10_000_000 - LINE_LIMIT)


def lines(*texts: str) -> list[Line]:
    return [Line(AT, Stream.STDOUT, text) for text in texts]


def test_rotation_keeps_the_newest_parts(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "log", size_bytes=400, parts=3)
    for number in range(100):
        file.append(lines(f"line {number}"))
    file.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "log.1", "log.2"]
    assert all(path.stat().st_size <= 400 for path in tmp_path.iterdir())
    kept = b"".join((tmp_path / name).read_bytes() for name in ("log.2", "log.1", "log"))
    found = [decode(raw) for raw in kept.splitlines()]
    numbers = [int(line.text.split()[1]) for line in found if line]
    assert numbers == list(range(100 - len(numbers), 100))
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_written_is_counted(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.write_text("a file where a folder should be")
    file = RotatingFile(folder / "log")
    file.append(lines("lost", "lost too"))
    folder.unlink()
    file.append(lines("kept"))
    file.close()
    found = [decode(raw) for raw in (folder / "log").read_bytes().splitlines()]
    assert [(line.stream, line.text) for line in found if line] == [
        (Stream.COMPARTMENT, "2 lines lost: File exists"),
        (Stream.STDOUT, "kept"),
    ]
