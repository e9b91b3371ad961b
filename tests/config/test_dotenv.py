"""`.env` files: one case for every rule of what Compose understands, and what no file may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.config.dotenv import read_dotenv, read_variables
from core.errors import ConfigError

if TYPE_CHECKING:
    from core.model import Problem

ENVIRON = {"SHELL_A": "shell", "A": "5", "EMPTY": ""}


def values(text: str) -> dict[str, str]:
    return read_dotenv(text, ".env", ENVIRON).values


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_dotenv(text, ".env", ENVIRON)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", {}, id="an empty file"),
        pytest.param("\n \t\n# X=1\n  # Y=2", {}, id="blank lines and comments"),
        pytest.param("X=1", {"X": "1"}, id="no newline at the end"),
        pytest.param("\ufeffX=1\n", {"X": "1"}, id="a byte order mark is skipped"),
        pytest.param("X=1\r\nY=2\r\n", {"X": "1", "Y": "2"}, id="CRLF"),
        pytest.param("export X=1\nexport\tY=2", {"X": "1", "Y": "2"}, id="export is stripped"),
        pytest.param(
            "exportX=1\nexport_Y =2\nexport=3\nexport =4",
            {"exportX": "1", "export_Y": "2", "export": "4"},
            id="only as a word of its own",
        ),
        pytest.param("X: 1\nY:2", {"X": "1", "Y": "2"}, id="KEY: value"),
        pytest.param("X: a=b\nY=a:b", {"X": "a=b", "Y": "a:b"}, id="the first mark separates"),
        pytest.param("X=a=b=", {"X": "a=b="}, id="more marks belong to the value"),
        pytest.param("  X \t=\t1  ", {"X": "1"}, id="spaces around key and mark"),
        pytest.param(
            "a.b-c[0]_é=1", {"a.b-c[0]_é": "1"}, id="letters, digits, _ . - [ ] make a key"
        ),
        pytest.param("1X=1\nX1=2", {"X1": "2"}, id="keys that begin with a digit are dropped"),
        pytest.param("X=1\nX=2", {"X": "2"}, id="the last one wins"),
        pytest.param("SHELL_A\nX=1", {"SHELL_A": "shell", "X": "1"}, id="KEY alone is inherited"),
        pytest.param("export SHELL_A", {"SHELL_A": "shell"}, id="exported alone too"),
        pytest.param("NOTHING\nX=1", {"X": "1"}, id="or not set"),
        pytest.param("X=\nY= \nZ:", {"X": "", "Y": "", "Z": ""}, id="KEY= is empty"),
    ],
)
def test_lines(text: str, expected: dict[str, str]) -> None:
    assert values(text) == expected


@pytest.mark.parametrize(
    ("written", "value"),
    [
        pytest.param("a b", "a b", id="up to the end of the line"),
        pytest.param("a b \t ", "a b", id="trimmed at its right"),
        pytest.param("a # b", "a", id="a comment after a space"),
        pytest.param("a#b", "a#b", id="no comment without a space"),
        pytest.param("a\t#b", "a\t#b", id="nor after a tab"),
        pytest.param("#a", "#a", id="nor at once"),
        pytest.param(" #a", "", id="nothing but a comment"),
        pytest.param(r"a\nb\$", r"a\nb\$", id="no escapes"),
        pytest.param('it\'s "so"', 'it\'s "so"', id="quotes inside mean themselves"),
        pytest.param("$SHELL_A/${SHELL_A}", "shell/shell", id="variables"),
        pytest.param("${NO:-d}${EMPTY-e}${EMPTY:+p}", "d", id="operators"),
        pytest.param("a$$b$1$", "a$b$1$", id="dollars that mean themselves"),
    ],
)
def test_without_quotes(written: str, value: str) -> None:
    assert values(f"X={written}\nY=1\n") == {"X": value, "Y": "1"}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        pytest.param('""', "", id="empty"),
        pytest.param('" a "', " a ", id="spaces stay"),
        pytest.param('"a" # b', "a", id="a comment after it"),
        pytest.param('"a"#b', "a", id="a comment at once after it"),
        pytest.param('"a # b"', "a # b", id="no comment inside"),
        pytest.param(r'"\n\r\t\a\b\f\v"', "\n\r\t\a\b\f\v", id="escapes"),
        pytest.param(r'"\\ \" \$A"', '\\ " $A', id="escaped backslash, quote and dollar"),
        pytest.param(r'"\\n"', r"\n", id="an escaped backslash escapes nothing"),
        pytest.param(r'"\\"', "\\", id="nor the closing quote"),
        pytest.param(r'"\0101\0377"', "A\xff", id="octal"),
        pytest.param(r'"\012 \0400 \09"', r"\012 \0400 \09", id="not quite octal"),
        pytest.param(r'"\x41 \u0041 \c \'"', r"\x41 \u0041 \c \'", id="others stay"),
        pytest.param('"$SHELL_A ${NO-d}"', "shell d", id="variables"),
        pytest.param('"a\nb\n"', "a\nb\n", id="several lines"),
        pytest.param('"a\r\nb"', "a\nb", id="several lines with CRLF"),
        pytest.param('"it\'s"', "it's", id="the other quote"),
    ],
)
def test_in_double_quotes(written: str, value: str) -> None:
    assert values(f"X={written}\nY=1\n") == {"X": value, "Y": "1"}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        pytest.param("''", "", id="empty"),
        pytest.param("' a '", " a ", id="spaces stay"),
        pytest.param("'$SHELL_A ${ $$'", "$SHELL_A ${ $$", id="dollars mean themselves"),
        pytest.param(r"'\n\\'", r"\n\\", id="so do backslashes"),
        pytest.param(r"'it\'s'", "it's", id="but before a quote"),
        pytest.param("'a' # b", "a", id="a comment after it"),
        pytest.param("'a\n#b\n'", "a\n#b\n", id="several lines"),
        pytest.param("'\"'", '"', id="the other quote"),
    ],
)
def test_in_single_quotes(written: str, value: str) -> None:
    assert values(f"X={written}\nY=1\n") == {"X": value, "Y": "1"}


def test_the_environment_comes_before_the_lines_above() -> None:
    assert values("A=1\nB=$A\nC=2\nD=$C\nE=$F\nF=3\n") == {
        "A": "1",
        "B": "5",
        "C": "2",
        "D": "2",
        "E": "",
        "F": "3",
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("X=1\nKEY X=1\n", "2:1: a name cannot hold a space (write NAME=value)"),
        ("KEY X\n", "1:1: a name cannot hold a space"),
        ("  lol$wut\n", '1:3: a name cannot hold "$"'),
        ("X+=1\n", '1:1: a name cannot hold "+"'),
        ("=1\n", "1:1: there is no name before the value"),
        ("export \nX=1\n", "1:8: there is no name before the value"),
        ("X=1\nY='a\nb\n", "2:3: the quote that opens here is never closed (close it)"),
        ('X="a\\"\n', "1:3: the quote that opens here is never closed"),
        ("X='a'b\n", "1:6: the line goes on after the closing quote (put all of the value in"),
        ("X=a${\n", '1:3: "${" is never closed (put the value into single quotes, or write $$'),
        ('X="\na\n${}"\n', '3:1: "${" is not followed by the name of a variable'),
        (
            "X=${NO?say it}\n",
            "1:3: required variable NO is missing a value: say it (set NO in this shell, or in",
        ),
        ("X=a\0b\n", '1:1: the value of "X" holds a NUL character, or no UTF-8'),
        ('X="\\0000"\n', '1:1: the value of "X" holds a NUL character, or no UTF-8'),
        ("X=\udc80\n", '1:1: the value of "X" holds a NUL character, or no UTF-8'),
    ],
)
def test_problems(text: str, expected: str) -> None:
    (problem,) = problems(text)

    assert problem.startswith(f".env:{expected}")


def test_all_problems_together() -> None:
    text = "A B=1\nX='a'b\nY=2\nZ=${\n=\nW=\"\n"

    assert [problem.split(":")[1] for problem in problems(text)] == ["1", "2", "4", "5", "6"]


def test_the_dollar_trap_is_told_with_its_line() -> None:
    text = "A=1\nHASH=$2y$10$abc/def\nB=\"x\\n\n$gone $gone\n\"\nC='$none'\nD=${no:-}\n"
    found = read_dotenv(text, "prod.env", ENVIRON)

    assert found.values["HASH"] == "$2y$10/def"
    hint = "(if the dollar sign is part of the value, put it into single quotes)"
    assert [str(warning) for warning in found.warnings] == [
        f"prod.env:2:6: the variable abc is not set: it is replaced by nothing {hint}",
        f"prod.env:4:1: the variable gone is not set: it is replaced by nothing {hint}",
    ]


def test_entries_know_their_place() -> None:
    found = read_dotenv("# first\n\n  X=1\nY='a\nb'\n Z\n", ".env", ENVIRON)

    assert [(each.name, each.value, each.position) for each in found.entries] == [
        ("X", "1", (3, 3)),
        ("Y", "a\nb", (4, 1)),
        ("Z", None, (6, 2)),
    ]


def test_variables_cannot_double_without_end() -> None:
    doubling = "".join(f"V{n + 1}=$V{n}$V{n}\n" for n in range(40))

    assert problems("V0=12345678\n" + doubling)[0].startswith(".env:19:5: with its variables the")


def refused(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_variables(text, "prod.env", ENVIRON)
    return [str(problem).removeprefix("prod.env:") for problem in caught.value.problems]


def test_import() -> None:
    found, warnings = read_variables("X=1\nSHELL_A\n_y='$2'\nZ=$no\n", "prod.env", ENVIRON)

    assert found == {"X": "1", "SHELL_A": "shell", "_y": "$2", "Z": ""}
    assert [warning.line for warning in warnings] == [4]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1:1: the file holds no variables"),
        ("# X=1\n", "1:1: the file holds no variables"),
        ("X=1\nY=2\nX=1\n", '3:1: the variable "X" is given twice (first at line 1)'),
        ("a.b=1\n", '1:1: "a.b" cannot be a variable (use letters, digits and _, not'),
        ("1X=1\n", '1:1: "1X" cannot be a variable'),
        ("é=1\n", '1:1: "é" cannot be a variable'),
        ("COMPARTMENT_X=1\n", '1:1: "COMPARTMENT_X" is a reserved variable name (services are'),
        ("NOTHING\n", '1:1: "NOTHING" has no value here, nor in your environment (write NOTHI'),
        ("X='a\n", "1:3: the quote that opens here is never closed"),
    ],
)
def test_import_is_strict(text: str, expected: str) -> None:
    (problem,) = refused(text)

    assert problem.startswith(expected)


def test_import_tells_all_problems_together() -> None:
    assert [each.split(":")[0] for each in refused("A B=1\n1X=1\nX=1\nX=2\n")] == ["1", "2", "4"]


PARTS = st.sampled_from(
    [
        *"XY1=: \t\n\r#'\"\\$${}.-[]?+é\0",
        "export ",
        "X=",
        '="',
        "='",
        "\\n",
        "\\0101",
        "${X",
        "\ufeff",
    ]
)


@settings(max_examples=400, derandomize=True, deadline=None)
@given(st.one_of(st.lists(PARTS, max_size=40).map("".join), st.text()))
def test_any_text_has_a_result_or_problems(text: str) -> None:
    for read in (read_dotenv, read_variables):
        found: tuple[Problem, ...] | None = None
        try:
            read(text, ".env", ENVIRON)
        except ConfigError as error:
            found = error.problems

        assert found is None or found
        for problem in found or ():
            assert 1 <= problem.line <= text.count("\n") + 1
            assert problem.column >= 1
            assert str(problem).isprintable()


possible = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@settings(max_examples=300, derandomize=True, deadline=None)
@given(possible)
def test_double_quotes_can_hold_any_value(value: str) -> None:
    escapes = str.maketrans({"\\": "\\\\", '"': '\\"', "$": "\\$", "\r": "\\r"})

    assert values(f'X="{value.translate(escapes)}"\nY=1\n') == {"X": value, "Y": "1"}


@settings(max_examples=300, derandomize=True, deadline=None)
@given(possible.map(lambda text: text.replace("\\", "/").replace("\r", "\n")))
def test_single_quotes_hold_all_but_backslashes_as_it_is(value: str) -> None:
    quoted = value.replace("'", "\\'")

    assert values(f"X='{quoted}'\nY=1\n") == {"X": value, "Y": "1"}
