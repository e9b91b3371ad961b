from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.quickness import quickest
from tui.logs.levels import Level, find_level


@pytest.mark.parametrize(
    ("text", "level", "word"),
    [
        ("ERROR redis: timeout", Level.ERROR, "ERROR"),
        ("2026-11-21T10:00:00.123Z [main] WARN  c.e.Pool - slow", Level.WARN, "WARN"),
        ("WARNING: deprecated", Level.WARN, "WARNING"),
        ("INFO:     127.0.0.1 - GET / 200", Level.INFO, "INFO"),
        ("[DEBUG] x", Level.DEBUG, "DEBUG"),
        ("2026/11/21 10:00:00 [error] 7#7: open() failed", Level.ERROR, "[error]"),
        ("ts=1 level=error msg=x", Level.ERROR, "error"),
        ('ts=1 level="warn" msg=x', Level.WARN, "warn"),
        ('{"ts":1,"level":"error","msg":"INFO"}', Level.ERROR, "error"),
        ('{"severity": "WARNING"}', Level.WARN, "WARNING"),
        ('{"level":50,"msg":"pino"}', Level.ERROR, "50"),
        ("Traceback (most recent call last):", Level.ERROR, "Traceback (most recent call last)"),
        ("ValueError: bad", Level.ERROR, "ValueError"),
        ("java.lang.IllegalStateException: bad", Level.ERROR, "java.lang.IllegalStateException"),
        ("error: could not compile", Level.ERROR, "error"),
        ("Warning: each child needs a key", Level.WARN, "Warning"),
        ("panic: runtime", Level.ERROR, "panic"),
    ],
)
def test_a_level_is_found_where_programs_write_it(text: str, level: Level, word: str) -> None:
    found = find_level(text)
    assert found is not None
    assert found.level is level
    assert text[found.start : found.end] == word


@pytest.mark.parametrize(
    "text",
    [
        "",
        "GET /errors 200",
        "no errors so far",
        "INFORMATION_SCHEMA opened",
        "xERROR",
        "ERROR_CODE=0",
        '{"message":"ok"}',
        '{"level":"loud"}',
        "level=7",
        "a sentence that is long enough to be one of several, and which only then comes to speak of"
        " an ERROR that somebody had",
    ],
)
def test_no_level_is_invented(text: str) -> None:
    assert find_level(text) is None


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    found = find_level(text)
    assert found is None or 0 <= found.start <= found.end <= len(text)


def test_an_endless_line_costs_no_more_than_a_short_one() -> None:
    def took(text: str) -> float:
        return quickest(lambda: [find_level(text) for _ in range(200)])

    assert took("a" * 16_000) < 50 * took("a" * 100) + 0.05
