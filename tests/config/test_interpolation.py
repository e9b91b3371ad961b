from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.config.interpolation import MAX_DEPTH, MAX_LENGTH, BrokenTemplate, Unset, interpolate

ENVIRON = {"FOO": "first", "BAR": "", "JSON": '{"json":2}', "_x1": "underscored"}


def expand(text: str) -> str:
    return interpolate(text, ENVIRON.get).text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("plain", "plain"),
        ("$FOO", "first"),
        ("${FOO}", "first"),
        ("a${FOO}b$FOO.c", "afirstbfirst.c"),
        ("$_x1/${_x1}", "underscored/underscored"),
        ("$FOO-bar", "first-bar"),
        ("$foo|$FOOO|${FOOO}", "||"),
        ("$BAR|${BAR}", "|"),
        ("$$FOO $$ $$$FOO", "$FOO $ $first"),
        ("$${FOO}", "${FOO}"),
        ("$1 $- $. $ $\u00e9 $", "$1 $- $. $ $\u00e9 $"),
        ("{FOO} }{", "{FOO} }{"),
    ],
)
def test_variables(text: str, expected: str) -> None:
    assert expand(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${BAR:-d}", "d"),
        ("${BAR-d}", ""),
        ("${NO:-d}", "d"),
        ("${NO-d}", "d"),
        ("${FOO:-d}${FOO-d}", "firstfirst"),
        ("${NO:-}${NO-}", ""),
        ("${FOO:+p}", "p"),
        ("${FOO+p}", "p"),
        ("${BAR+p}", "p"),
        ("${BAR:+p}", ""),
        ("${NO:+p}", ""),
        ("${NO+p}", ""),
        ("${FOO:?m}${FOO?m}", "firstfirst"),
        ("${BAR?m}", ""),
        ("${NO-x?y}", "x?y"),
        ("${NO:--}", "-"),
        ("${NO:-:-alpha}", ":-alpha"),
        ("ok ${BAR:-/non:-alpha}", "ok /non:-alpha"),
        ("${NO:-${BAR-d}}", ""),
        ("${NO:-${BAR:-d}}", "d"),
        ("${NO:-${NO2:-${NO3:-c}}}", "c"),
        ("${NO:-$FOO}/$FOO", "first/first"),
        ("${BAR+$FOO ${FOO:+second}}", "first second"),
        ("${FOO:+${FOO},}B", "first,B"),
        ('${NO:-{"json":1}}', '{"json":1}'),
        ('${JSON-{"json":1}}', '{"json":2}'),
        ("${NO:-{}}", "{}"),
        ("${NO:-a}}", "a}"),
        ("${NO:-$$5}", "$5"),
        ("${NO:-a\nb}", "a\nb"),
    ],
)
def test_operators(text: str, expected: str) -> None:
    assert expand(text) == expected


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("a${NO?a:-b}", 1, "required variable NO is missing a value: a:-b"),
        ("${BAR:?m}", 0, "required variable BAR is missing a value: m"),
        ("${NO?a\x1b\n}", 0, "required variable NO is missing a value: a\\x1b\\n"),
        ("${NO:?}", 0, "required variable NO is missing a value"),
        ("${NO?${FOO} is not it}", 0, "required variable NO is missing a value: first is not it"),
        ("${NO:-${NO2?m}}", 6, "required variable NO2 is missing a value: m"),
        ("${}", 0, '"${" is not followed by the name of a variable'),
        ("${1}", 0, '"${" is not followed by the name of a variable'),
        ("${ FOO}", 0, '"${" is not followed by the name of a variable'),
        ("ab ${FOO }", 3, '"${FOO" is followed neither by "}" nor by :- - :+ + :? ?'),
        ("${FOO!}", 0, '"${FOO" is followed neither by "}" nor by :- - :+ + :? ?'),
        ("${FOO:}", 0, '"${FOO" is followed neither by "}" nor by :- - :+ + :? ?'),
        ("$FOO ${", 5, '"${" is never closed'),
        ("${FOO", 0, '"${" is never closed'),
        ("${NO:-{}", 0, '"${" is never closed'),
    ],
)
def test_broken(text: str, offset: int, message: str) -> None:
    with pytest.raises(BrokenTemplate) as caught:
        expand(text)

    assert (caught.value.offset, caught.value.message) == (offset, message)


def test_what_is_unset_is_told_with_its_place() -> None:
    found = interpolate("$NO ${NO2} ${NO3-d} ${FOO:-$NO4} ${NO5:-$NO6} ${NO:+$NO7}", ENVIRON.get)

    assert found.text == "  d first  "
    assert found.unset == (Unset("NO", 0), Unset("NO2", 4), Unset("NO6", 40))


def test_depth_and_length_have_limits() -> None:
    def nested(depth: int) -> str:
        return "${NO:-" * depth + "x" + "}" * depth

    assert expand(nested(MAX_DEPTH)) == "x"
    with pytest.raises(BrokenTemplate, match="nested more than"):
        expand(nested(MAX_DEPTH + 1))
    with pytest.raises(BrokenTemplate, match="longer than"):
        interpolate("$A$A", {"A": "x" * (MAX_LENGTH // 2 + 1)}.get)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.lists(st.sampled_from([*"${}:-?+ a1", "$$", "${", "FOO", "BAR", "NO", "é"])))
def test_any_text_has_a_result_or_is_broken_somewhere_in_it(parts: list[str]) -> None:
    text = "".join(parts)
    offsets, mark = [], "$"
    try:
        offsets = [each.offset for each in interpolate(text, ENVIRON.get).unset]
    except BrokenTemplate as broken:
        offsets, mark = [broken.offset], ""

    assert all(text.startswith(mark, offset) for offset in offsets)
    assert all(0 <= offset < len(text) for offset in offsets)


@given(st.text())
def test_doubled_dollars_mean_themselves(text: str) -> None:
    assert expand(text.replace("$", "$$")) == text
