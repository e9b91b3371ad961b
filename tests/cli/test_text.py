from __future__ import annotations

import pytest

from core.cli.text import columns, counted, duration, first_line, moment, pairs, plain


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-0.2, "0ms"),
        (0, "0ms"),
        (0.0042, "4ms"),
        (0.9999, "999ms"),
        (1, "1.0s"),
        (59.99, "59.9s"),
        (60, "1m"),
        (125, "2m 5s"),
        (3599.9, "59m 59s"),
        (3600, "1h"),
        (11_520, "3h 12m"),
        (86_400, "1d"),
        (352_900, "4d 2h"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_columns_are_aligned_and_end_without_spaces() -> None:
    rows = [("SERVICE", "HEALTH", ""), ("web", "healthy", ""), ("backoffice", "-", "x")]
    assert columns(rows, colour=False, indent="> ") == [
        "> SERVICE     HEALTH",
        "> web         healthy",
        "> backoffice  -        x",
    ]
    assert columns([], colour=False) == []


def test_columns_keep_their_width_in_colour() -> None:
    plainly, coloured = (columns([("failed", "b")], colour=each)[0] for each in (False, True))
    assert plainly == "failed  b"
    assert coloured == "\x1b[31mfailed\x1b[0m  b"


def test_wide_characters_take_two_cells() -> None:
    assert columns([("日本", "a"), ("abcd", "b"), ("e\u0301abc", "c")], colour=False) == [
        "日本  a",
        "abcd  b",
        "e\u0301abc  c",
    ]


def test_foreign_text_cannot_steer_the_terminal() -> None:
    assert plain("a\x1b[31mred\x1b[0m\x1b]0;title\x07\x1b[2Jb") == "aredb"


def test_first_line_is_cut() -> None:
    assert first_line("one\ntwo") == "one"
    assert first_line("x" * 100, 10) == "x" * 9 + "…"
    assert first_line(None) == ""


def test_small_words() -> None:
    assert counted(1, "service") == "1 service"
    assert counted(0, "service") == "0 services"
    assert moment("2026-04-24T10:01:00.123456Z") == "2026-04-24T10:01:00Z"
    assert moment(None) == "-"
    assert pairs([("Label", None), ("Project", "shop")]) == ["Label:    n/a", "Project:  shop"]
