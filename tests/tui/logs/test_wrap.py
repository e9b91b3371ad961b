from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.logs.wrap import cut, wrap

TEXT = st.text(
    st.sampled_from(" ab日本👍é́\u0301\u200d\ufe0f") | st.characters(exclude_categories=["C"]),
    max_size=60,
)


def rows(text: str, width: int) -> list[str]:
    starts = wrap(text, width)
    return [text[a:b] for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]


@given(TEXT, st.integers(1, 30))
def test_rows_cover_the_whole_text_and_fit(text: str, width: int) -> None:
    found = rows(text, width)
    assert "".join(found) == text
    assert all(found) or found == [""]
    for row in found:
        fits = cell_len(row) <= width or (cell_len(row[:-1]) <= width and row[-1] == " ")
        # Nothing can make a wide character narrower.
        assert fits or (width == 1 and len(row) >= 1)


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("", 5, [""]),
        ("hello", 5, ["hello"]),
        ("hello world again", 11, ["hello world ", "again"]),
        ("hello world again", 13, ["hello world ", "again"]),
        ("a bcdefghijkl", 6, ["a bcde", "fghijk", "l"]),
        ("日本日本", 5, ["日本", "日本"]),
        ("abcdef", 1, list("abcdef")),
    ],
)
def test_rows_end_at_spaces_where_that_wastes_little(text: str, width: int, expected: Any) -> None:
    assert rows(text, width) == expected


@given(TEXT, st.integers(0, 40), st.integers(1, 40))
def test_a_cut_fits_and_loses_no_more_than_halves(text: str, skip: int, width: int) -> None:
    found = cut(text, skip, width)
    assert 0 <= found.start <= found.end <= len(text)
    assert found.lead in (0, 1)
    assert found.lead + found.cells <= width
    if skip == 0 and cell_len(text) <= width:
        assert text[found.start : found.end] == text


@pytest.mark.parametrize(
    ("text", "skip", "width", "expected"),
    [
        ("hello", 1, 3, "ell"),
        ("hello", 9, 3, ""),
        ("日本語", 0, 4, "日本"),
        ("日本語", 0, 3, "日"),
        ("日本語", 1, 4, "本"),
        ("e\u0301a", 0, 1, "e\u0301"),
        ("e\u0301a", 1, 1, "a"),
    ],
)
def test_a_cut_by_example(text: str, skip: int, width: int, expected: Any) -> None:
    found = cut(text, skip, width)
    assert text[found.start : found.end] == expected


def test_a_cut_goes_as_far_as_it_must() -> None:
    text = "e" + "\u0301" * 500 + "xyz"
    found = cut(text, 0, 3)
    assert text[found.start : found.end] == text[:-1]
