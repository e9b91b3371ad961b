from __future__ import annotations

import pytest
from textual.content import Content

from tui.view.columns import aligned, cut, hanging


def test_columns_stand_under_each_other_and_empty_ones_take_no_room() -> None:
    lines = aligned([("a", "", "one"), ("long", "", "two")], 40, "~")
    assert [line.plain for line in lines] == ["a     one", "long  two"]


def test_wide_characters_count_as_two_cells() -> None:
    lines = aligned([("日本", "x"), ("abcd", "y")], 40, "~")
    assert [line.plain for line in lines] == ["日本  x", "abcd  y"]


def test_the_named_columns_give_way_and_the_others_stay() -> None:
    lines = aligned([("a very long name", "a very long text", "12s")], 30, "~", (1, 0))
    assert [line.plain for line in lines] == ["a very long name  a very~  12s"]


@pytest.mark.parametrize("width", [0, 1, 5, 12, 30])
def test_no_line_is_wider_than_its_room(width: int) -> None:
    rows = [("日本語のサービス", "[/", "é" * 40, "x" * 99), ("a", "b")]
    for line in aligned(rows, width, "~", (0, 2)):
        assert line.cell_length <= width


def test_what_is_cut_says_so_and_keeps_its_style() -> None:
    found = cut(Content.styled("abcdef", "bold"), 4, "~")
    assert found.plain == "abc~"
    assert found.spans[0].style == "bold"
    assert cut("abc", 3, "~").plain == "abc"


def test_hanging_lines_begin_under_each_other() -> None:
    lines = hanging("one two three four", 12, 4)
    assert [line.plain for line in lines] == ["    one two", "    three", "    four"]
