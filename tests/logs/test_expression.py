"""Expressions that people type."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.lines import decode
from core.logs.expression import BadExpression, Expression
from tests.logs.writing import AT


@pytest.mark.parametrize("typed", ["(a+)+$", "(a|a)*b", "a*a*a*a*a*b"])
def test_what_others_never_end_is_found_or_not_at_once(typed: str) -> None:
    assert Expression(typed).finds("a" * 16_000) is typed.endswith("$")


def test_places_are_those_of_characters() -> None:
    assert list(Expression("[é日]+").spans("aé日b日")) == [(1, 3), (4, 5)]
    assert Expression("err", any_case=True).finds("ERROR")


@pytest.mark.parametrize(("typed", "hint"), [("(?!a)b", True), (r"(a)\1", True), ("(a", False)])
def test_what_is_none_is_told(typed: str, hint: bool) -> None:
    with pytest.raises(BadExpression, match=r"^not an expression: ") as caught:
        Expression(typed)
    assert (caught.value.hint is not None) is hint


def test_what_is_no_text_is_told() -> None:
    with pytest.raises(BadExpression, match="not UTF-8"):
        Expression("\ud800")


HARD = [
    *("a", "a.b", "[^a]b", r"a\s+b", "^a", "b$", r"\Aa", r"a\z", r"\bab\b", r"\Bb", "(?i)A"),
    *("é", "\ufffd", r"\x{fffd}", "(?s)a.b", "(?m)^a", "x*", r"\W\w", "o a", "a|b$", "()"),
]


@settings(max_examples=500)
@given(
    st.sampled_from(HARD),
    st.booleans(),
    st.lists(st.text("ab _o", max_size=6).map(str.encode) | st.binary(max_size=6), max_size=5),
)
def test_no_line_is_missed_among_many(typed: str, any_case: bool, texts: list[bytes]) -> None:
    expression = Expression(typed, any_case=any_case)
    raw = [b"%s o %s" % (AT.encode(), each.replace(b"\n", b"")) for each in texts]
    lines = [line for line in map(decode, raw) if line is not None]
    found = any(expression.finds(each.text) for each in lines)
    assert expression.may_be_in(b"".join(each + b"\n" for each in raw)) or not found


def test_lines_among_which_there_is_none_are_told_apart() -> None:
    lines = f"{AT} o GET /orders 200\n{AT} e é\n".encode()
    assert not Expression("POST").may_be_in(lines)
    assert not Expression("[0-9]{3} in").may_be_in(lines)
    assert Expression("orders.*200").may_be_in(lines)
