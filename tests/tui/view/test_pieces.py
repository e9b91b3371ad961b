from __future__ import annotations

import pytest
from rich.cells import cell_len

from tui.view.pieces import cut, fit, joined, left, length, plain, right, spread


@pytest.mark.parametrize(
    ("text", "cells", "shown"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab~"),
        ("検索", 4, "検索"),
        ("検索", 3, "検~"),
        ("検索", 2, "~"),
        ("abc", 1, "~"),
        ("abc", 0, ""),
        ("", 0, ""),
        ("cafe\u0301s", 4, "caf~"),
    ],
)
def test_what_does_not_fit_ends_in_a_sign(text: str, cells: int, shown: str) -> None:
    assert cut(text, cells, "~") == shown


@pytest.mark.parametrize("text", ["", "a", "検索サービス", "cafe\u0301", "a long one"])
@pytest.mark.parametrize("cells", [0, 1, 5, 20])
def test_padded_text_has_its_width_exactly(text: str, cells: int) -> None:
    assert cell_len(left(text, cells, "~")) == cells
    assert cell_len(right(text, cells, "~")) == cells


def test_a_row_is_cut_where_it_ends() -> None:
    row = (("abc", "x"), ("def", "y"), ("ghi", "z"))
    assert fit(row, 9, "~") == row
    assert fit(row, 8, "~") == (("abc", "x"), ("def", "y"), ("g~", "z"))
    assert fit(row, 6, "~") == (("abc", "x"), ("de~", "y"))
    assert fit(row, 0, "~") == ()
    assert length(fit((("検索", ""), ("x", "")), 4, "~")) <= 4


def test_pieces_after_the_edge_that_are_empty_do_not_count() -> None:
    assert fit((("abc", "x"), ("", "")), 3, "~") == (("abc", "x"),)


@pytest.mark.parametrize("cells", [0, 1, 5, 12, 13, 20, 40])
def test_two_ends_are_never_wider_than_the_line(cells: int) -> None:
    row = spread([("left side", "")], [("right", "")], cells, "~")
    assert length(row) <= cells
    if cells >= 15:
        assert plain(row).startswith("left side")
        assert plain(row).endswith("right")
        assert length(row) == cells


def test_groups_that_are_empty_leave_no_gap() -> None:
    assert plain(joined([[("a", "")], [], [("", "")], [("b", "")]], ("--", ""))) == "a--b"
