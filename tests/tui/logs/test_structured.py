from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.logs.wire import line
from tui.logs.record import SHOWN_LIMIT, Record
from tui.logs.structured import as_it_is, compact, pretty


def read(text: str) -> str:
    return compact(Record.read(line(text))).text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"level":"info","msg":"done","n":3,"ok":true}', "INFO done n=3 ok=true"),
        ('{"n":3, "message":"done", "lvl":"Warn"}', "WARN done n=3"),
        ('{"severity":"ERROR","event":"db.down"}', "ERROR db.down"),
        ('{"levelname":"debug","log.level":"x"}', "DEBUG log.level=x"),
        ('{"level":30,"time":1700000000,"msg":"pino"}', "INFO pino"),
        ('{"level":60,"msg":"pino"}', "FATAL pino"),
        ('{"level":3,"msg":"syslog"}', "syslog level=3"),
        ('{"level":true,"msg":["x"]}', 'level=true msg=["x"]'),
        ('{"msg":"a","message":"b","event":"c"}', "a message=b event=c"),
        ('{"ts":"x","@timestamp":"x","timestamp":1,"a":null}', "a=null"),
        (
            '{"s":"two words","q":"a\\"b","e":"","k y":"="}',
            's="two words" q="a\\"b" e="" "k y"="="',
        ),
        ('{"o":{"a":[1,2]},"u":"日本語"}', 'o={"a":[1,2]} u=日本語'),
        ('{"id":99999999999999999999999999}', "id=99999999999999999999999999"),
    ],
)
def test_an_object_is_level_message_and_the_rest(text: str, shown: str) -> None:
    assert read(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "{}",
        '{"time":1}',
        "[1, 2]",
        '"text"',
        '{"a":1} behind',
        'before {"a":1}',
        "{bad}",
        '{"a":1',
        '{"a":' + "[" * 3000 + "]" * 3000 + "}",
        '{"a":"' + "x" * SHOWN_LIMIT + '"}',
    ],
)
def test_anything_else_stays_as_it_is(text: str) -> None:
    record = Record.read(line(text))
    assert compact(record) is record
    assert as_it_is(record) is record


def test_what_escapes_hide_cannot_steer_a_terminal() -> None:
    text = json.dumps({"msg": "a\x1b[31mred\x1b[0m\x1b]0;t\x07\nb\x9b\u202e\ud800", "k\x1b": 1})
    shown = read(text)
    assert shown.isprintable()
    assert shown.startswith("ared\\x1b]0;t\\x07\\nb\\x9b\\u202e\\ud800 k")
    found = pretty(text)
    assert found is not None
    assert all(row.isprintable() for row in found.split("\n"))


def test_the_colours_of_the_whole_line_are_not_those_of_its_parts() -> None:
    record = compact(Record.read(line('\x1b[32m{"msg":"x"}\x1b[0m')))
    assert (record.text, record.spans) == ("x", ())


def test_an_object_is_indented() -> None:
    assert pretty('{"a":{"b":[1]},"u":"日"}') == (
        '{\n  "a": {\n    "b": [\n      1\n    ]\n  },\n  "u": "日"\n}'
    )
    whole = pretty('{"long":"' + "x" * 20_000 + '"}')
    assert whole is not None
    assert len(whole) > 20_000
    for text in ("plain", "[1]", "{bad}", '{"a":' + "[" * 3000 + "]" * 3000 + "}"):
        assert pretty(text) is None


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=8) | st.sampled_from(("level", "msg")), json_values))
def test_any_object_is_one_line_that_can_be_printed(found: dict[str, object]) -> None:
    text = json.dumps(found, ensure_ascii=False)
    if text.isprintable():
        assert read(text).isprintable()
        whole = pretty(text)
        assert whole is not None
        assert json.loads(whole) == json.loads(text)


def test_a_record_is_read_once() -> None:
    record = Record.read(line('{"msg":"done","n":1}'))
    assert compact(record).text is compact(record).text
