from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.config.toml import read_toml

TEXT = b"""\
# Settings.
port = 80
  "host" =  '::1'
engine='auto'
[gateway]
  workers = 2
[[ more ]]
"""


def test_data_and_where_it_is() -> None:
    found = read_toml(TEXT, "config.toml")

    assert found.data["port"] == 80
    assert found.problems == ()
    assert found.keys["port",] == (2, 1)
    assert found.values["port",] == (2, 8)
    assert (found.keys["host",], found.values["host",]) == ((3, 4), (3, 13))
    assert found.values["engine",] == (4, 8)
    assert found.keys["gateway",] == (5, 2)
    assert found.keys["more",] == (7, 4)


def test_an_empty_file_says_nothing() -> None:
    assert read_toml(b"", "config.toml").data == {}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"port 80\n", "config.toml:1:6: not valid TOML: expected '=' after a key in a key/value"),
        (b"port = 80\nport = 81\n", "config.toml:2:10: not valid TOML: cannot overwrite a value"),
        (b"port = \n", "config.toml:1:8: not valid TOML: invalid value"),
        (b"a = [1,\n", "config.toml:2:1: not valid TOML: "),
        (b"host = \xff\n", "config.toml:1:8: the file is not UTF-8"),
        (b"a = " + b"[" * 5000, "config.toml:1:1: nested too deeply"),
    ],
)
def test_problems(content: bytes, expected: str) -> None:
    (problem,) = read_toml(content, "config.toml").problems

    assert str(problem).startswith(expected)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.text("ab=[]{}\"'\n.# 12-", max_size=40))
def test_any_text_has_data_or_a_problem(text: str) -> None:
    found = read_toml(text.encode(), "config.toml")

    assert (found.data is None) == bool(found.problems)
