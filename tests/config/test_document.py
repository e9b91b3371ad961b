from __future__ import annotations

import pytest

from core.config.document import describe, did_you_mean, nearest, quote
from core.model import Problem


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("web", '"web"'),
        ("a\x1b[31m\n\x9b", '"a\\x1b[31m\\n\\x9b"'),
        ("é€", '"é€"'),
        ("x" * 60, f'"{"x" * 60}"'),
        ("x" * 61, f'"{"x" * 57}..."'),
    ],
)
def test_quote_is_short_and_harmless(text: str, expected: str) -> None:
    assert quote(text) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", '"a"'),
        ("", "empty text"),
        (True, "true"),
        (False, "false"),
        (1.5, "1.5"),
        (None, "empty"),
        ([], "a list"),
        ({}, "a mapping"),
    ],
)
def test_describe(value: object, expected: str) -> None:
    assert describe(value) == expected


def test_nearest_ignores_case_and_gives_up_on_long_words() -> None:
    assert nearest("PATCHH", ["GET", "PATCH"]) == "PATCH"
    assert nearest("xyz", ["GET", "PATCH"]) is None
    assert nearest("a" * 61, ["a" * 60]) is None


def test_only_some_valid_words_are_listed() -> None:
    words = [f"s{n:02}" for n in range(12)]

    assert did_you_mean("zzz", words) == f"valid: {', '.join(words)}"
    assert did_you_mean("zzz", [*words, "t"]) == f"valid: {', '.join(words)}, ..."


def test_no_word_of_a_problem_is_one_that_a_terminal_obeys() -> None:
    problem = Problem("a\tb.yml", 1, 2, "no service \x1b[2J", "valid: w\tb, z\u202e")
    assert str(problem) == r"a\tb.yml:1:2: no service \x1b[2J (valid: w\tb, z\u202e)"
