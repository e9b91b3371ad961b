"""Expressions that people type."""

from __future__ import annotations

import pytest

from core.logs.expression import BadExpression, Expression


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
