"""Bytes in any chunks become clean lines of bounded length."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.lines import (
    LINE_LIMIT,
    LineSplitter,
    clean,
)

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


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C"])), min_size=1), st.data()
)
def test_splitting_does_not_depend_on_the_chunks(texts: list[str], data: st.DataObject) -> None:
    raw = "\n".join(texts).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)))))
    splitter = LineSplitter()
    lines: list[str] = []
    for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True):
        lines += splitter.feed(raw[start:end])
    assert splitter.is_pending == bool(texts[-1])
    lines += splitter.flush()
    assert lines == [clean(text) for text in (texts if texts[-1] else texts[:-1])]
    assert splitter.flush() == []


@given(st.lists(st.binary(max_size=60), max_size=20))
def test_any_bytes_become_clean_lines(chunks: list[bytes]) -> None:
    splitter = LineSplitter()
    lines = [line for chunk in chunks for line in splitter.feed(chunk)]
    assert len(lines) == b"".join(chunks).count(b"\n")
    for line in lines + splitter.flush():
        assert clean(line) == line


@pytest.mark.parametrize("letter", ["x", "é", "日", "👍"])
@pytest.mark.parametrize("chunk_bytes", [1000, 65_536, 10_000_000])
def test_a_long_line_is_cut_and_counted(letter: str, chunk_bytes: int) -> None:
    raw = (letter * 90_000).encode() + b"\nnext\n"
    splitter = LineSplitter()
    lines: list[str] = []
    for start in range(0, len(raw), chunk_bytes):
        lines += splitter.feed(raw[start : start + chunk_bytes])
    assert lines[1:] == ["next"]
    found = re.fullmatch(rf"{letter}{{{LINE_LIMIT}}} … \[(\d+) more characters\]", lines[0])
    assert found
    assert abs(int(found[1]) - (90_000 - LINE_LIMIT)) <= 3  # a character may be cut in the middle


@pytest.mark.parametrize("step", [b"\r%d%%", b"%d%%\r"])
def test_an_endless_progress_bar_shows_its_last_state(step: bytes) -> None:
    splitter = LineSplitter()
    for number in range(100_000):
        assert splitter.feed(step % number) == []
    assert splitter.flush() == ["99999%"]


def test_undecodable_bytes_are_shown() -> None:
    assert LineSplitter().feed(b"a\xff\xc3(\n") == [r"a\xff\xc3("]
