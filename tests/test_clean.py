"""Hostile text: cleaned once, kept, and read back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.lines import (
    LINE_LIMIT,
    Line,
    clean,
    decode,
    encode,
    shorten,
    stamp,
)
from core.model import Stream

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


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain ünicode 日本 👍", "plain ünicode 日本 👍"),
        ("a\tb", "a\tb"),
        ("\x1b[1;31mred\x1b[0m \x1b[38:5:9mx\x1b[m", "\x1b[1;31mred\x1b[0m \x1b[38:5:9mx\x1b[m"),
        ("a\x1b[2Jb\x1b[1;1Hc\x1b[?25ld", "abcd"),
        ("a\x1b[>4;2mb", "ab"),
        ("a\x9b31mb", "ab"),
        ("a\x1b]0;title\x07b\x1b]8;;http://x\x1b\\c", "abc"),
        ("a\x9d0;title\x9cb", "ab"),
        ("a\x1bPq#0\x1b\\b\x1b_x\x1b\\c\x1b^y\x1b\\d", "abcd"),
        ("a\x1b]0;never ended", "a0;never ended"),
        ("a\x1b[31\x00mb", "a31mb"),
        ("a\x1bcb\x1b7c\x1b(Bd", "abcd"),
        ("end\x1b", "end"),
        ("a\x00\x08\x0b\x0c\x7f\x85b", "ab"),
        ("10%\r50%\r100%", "100%"),
        ("done\r", "done"),
        ("done\r\r", "done"),
        ("10%\rdone\x1b[K\r\x00", "done"),
        ("\r", ""),
        ("user\u202egnp.exe\u2066\u200f\ufeff\u200b\u00ad", "usergnp.exe"),
        ("two\u2028lines\u2029", "twolines"),
        ("hidden\U000e0041tag", "hiddentag"),
        ("family 👨\u200d👩", "family 👨\u200d👩"),
        ("half \ud83d", "half \ufffd"),
    ],
)
def test_clean(raw: str, shown: str) -> None:
    assert clean(raw) == shown


@given(HOSTILE | st.text())
def test_cleaned_text_steers_nothing(text: str) -> None:
    cleaned = clean(text)
    assert not CONTROLS.search(COLOUR.sub("", cleaned))
    assert clean(cleaned) == cleaned
    cleaned.encode()


@pytest.mark.parametrize(
    "hostile", ["\x1b]", "\x9d", "\x1b[", "\x9b0", "\x1b[0", "\x1b ", "\x1bPx", "\r"]
)
def test_clean_takes_linear_time(hostile: str) -> None:
    clean(hostile * 200_000)  # quadratic would be minutes, against a time-out of seconds


@given(st.sampled_from(Stream), HOSTILE | st.text(), st.datetimes())
def test_kept_lines_are_read_back(stream: Stream, text: str, moment: datetime) -> None:
    line = Line(stamp(moment.replace(tzinfo=UTC)), stream, clean(text))
    raw = encode(line)
    assert raw.count(b"\n") == 1
    assert decode(raw) == decode(raw[:-1]) == line


def test_encode_is_one_readable_line() -> None:
    assert encode(Line(AT, Stream.STDOUT, "message")) == f"{AT} o message\n".encode()
    assert encode(Line(AT, Stream.STDERR, ""))[28:] == b"e \n"
    assert encode(Line(AT, Stream.COMPARTMENT, "ö"))[28:] == "c ö\n".encode()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n",
        b"message\n",
        b"2026-04-24T10:01:00Z o seconds only\n",
        f"{AT} x stream\n".encode(),
        f"{AT} o".encode(),
        f"{AT}  o message\n".encode(),
        f"4{AT} o message\n".encode(),
        f"{AT} o two\n{AT} o lines\n".encode(),
    ],
)
def test_damaged_lines_are_none(raw: bytes) -> None:
    assert decode(raw) is None


@given(st.binary(max_size=80))
def test_decode_never_raises(raw: bytes) -> None:
    decode(raw)
    decode(f"{AT} o ".encode() + raw)


def test_stamp_is_utc_and_sorts() -> None:
    east = datetime(2026, 4, 24, 12, 1, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    assert stamp(east) == AT
    assert stamp(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000000Z"
    assert stamp() <= stamp()


def test_shorten() -> None:
    assert shorten("x" * LINE_LIMIT) == "x" * LINE_LIMIT
    assert shorten("x" * LINE_LIMIT + "yz") == "x" * LINE_LIMIT + " … [2 more characters]"


def test_shorten_leaves_no_half_a_colour() -> None:
    text = clean("x" * (LINE_LIMIT - 3) + "\x1b[31m" + "y" * 10)
    assert clean(shorten(text)) == shorten(text)
