from __future__ import annotations

from typing import Any

import pytest

from tests.tui.logs.wire import line
from tui.logs.filter import Filter
from tui.logs.levels import Level
from tui.logs.pattern import Pattern, PatternError
from tui.logs.record import Record


def wants(typed: str, text: str, **more: Any) -> bool:
    return Filter.read(typed).wants(Record.read(line(text, **more)))


@pytest.mark.parametrize(
    ("typed", "text", "expected"),
    [
        ("job", "a Job b", True),
        ("Job", "a job b", False),
        ("Job", "a Job b", True),
        ("straße", "STRASSE straße", True),
        ("ärger", "ÄRGER", True),
        ("a.c", "abc", False),
        ("/a.c/", "xABCx", True),
        (r"/\Sx/", "AX", True),
        ("/A.c/", "abc", False),
        ("!job", "a job", False),
        ("!job", "other", True),
        ("!/^a/", "ab", False),
        ("/", "a/b", True),
        ("//", "anything", True),
        ("!", "anything", True),
        ("", "anything", True),
        ("[/", "x [/] y", True),
    ],
)
def test_what_is_typed_decides(typed: str, text: str, expected: Any) -> None:
    assert wants(typed, text) is expected


@pytest.mark.parametrize("typed", ["/(/", "/[/", "!/*/", "/a{2,1}/", "/(?!a)b/"])
def test_a_bad_expression_is_one_clear_line(typed: str) -> None:
    with pytest.raises(PatternError, match=r"^not an expression: [^\n]+$"):
        Filter.read(typed)


def test_colours_are_no_part_of_the_text() -> None:
    assert wants("redis", "re\x1b[31mdis")


def test_least_level() -> None:
    shown = Filter(level=Level.WARN)
    texts = ["DEBUG a", "plain", "INFO a", "WARN a", "ERROR a"]
    wanted = [text for text in texts if shown.wants(Record.read(line(text)))]
    assert wanted == ["WARN a", "ERROR a"]
    assert Filter(level=Level.INFO).wants(Record.read(line("plain")))
    assert not Filter(level=Level.INFO).wants(Record.read(line("DEBUG")))


def test_only_one_service() -> None:
    shown = Filter(only="api")
    assert shown.wants(Record.read(line("x", service="api")))
    assert not shown.wants(Record.read(line("x", service="web")))


def test_what_hides_lines_in_words() -> None:
    assert str(Filter.read("!a", Level.WARN, "api")) == "filter !a, level >= warn, only api"
    assert not Filter.read("").is_active
    assert not Filter.read("//").is_active
    assert all(
        each.is_active for each in (Filter.read("a"), Filter(level=Level.INFO), Filter(only="x"))
    )


def test_spans_are_those_of_the_text() -> None:
    pattern = Pattern.read("i")
    assert pattern is not None
    # Lower case has another length here, which must not move the spans.
    assert pattern.spans("İxI") == [(2, 3)] or pattern.spans("İxI") == [(0, 1), (2, 3)]
    empty = Pattern.read("/x*/")
    assert empty is not None
    assert empty.spans("axxb") == [(1, 3)]
