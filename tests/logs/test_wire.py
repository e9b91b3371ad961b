from __future__ import annotations

import json

import pytest

from core.lines import Line
from core.logs.reader import LogLine, LogSource
from core.logs.wire import CHUNK_LINES, chunks
from core.model import Stream
from tests.logs.writing import API, AT, WEB, second

ODD = LogSource("dep_ä", 'we"b', "pro\\duction")
TEXTS = ("plain", "", 'a "quoted" one', "C:\\path\tand tab", "\x1b[31mred\x1b[0m", "日本語 🚀", "}")


def test_the_documented_keys_in_their_order() -> None:
    lines = [
        LogLine(Line(second(number), stream, text), source)
        for source in (WEB, API, ODD)
        for stream in Stream
        for number, text in enumerate(TEXTS)
    ]
    (chunk,) = chunks(lines)
    assert chunk == "".join(f"{json.dumps(line.as_json())}\n" for line in lines)


@pytest.mark.parametrize("count", [0, 1, CHUNK_LINES, CHUNK_LINES + 1, 3 * CHUNK_LINES])
def test_a_chunk_is_bounded(count: int) -> None:
    lines = [LogLine(Line(AT, Stream.STDOUT, str(number)), WEB) for number in range(count)]
    found = [
        [json.loads(line)["message"] for line in chunk.splitlines()] for chunk in chunks(lines)
    ]
    assert all(0 < len(chunk) <= CHUNK_LINES for chunk in found)
    assert [each for chunk in found for each in chunk] == [line.message for line in lines]
