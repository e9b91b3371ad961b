from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from core.lines import Line, RotatingFile, encode, stamp
from core.logs.expression import Expression
from core.logs.reader import LogQuery, LogSource, read
from core.logs.writer import CompartmentLog
from core.model import Stream

if TYPE_CHECKING:
    from pathlib import Path

    from tests.figures import FiguresRecorder

BEGIN = datetime(2026, 4, 24, 10, tzinfo=UTC)
ONE = LogSource("dep_1", "web", "production")
TWO = LogSource("dep_2", "api", "production")


def at(second: float) -> str:
    return stamp(BEGIN + timedelta(seconds=second))


def write(
    logs: Path, source: LogSource, *entries: tuple[float, Stream, str], name: str = "dep_1.1.log"
) -> None:
    file = RotatingFile(logs / source.deployment_id / name)
    file.append([Line(at(second), stream, text) for second, stream, text in entries])
    file.close()


def texts(logs: Path, *sources: LogSource, **query: object) -> list[str]:
    found = read(logs, sources, LogQuery(**query))  # type: ignore[arg-type]  # its fields
    return [line.message for line in found]


def test_streams_of_several_deployments_merged_by_time(tmp_path: Path) -> None:
    write(tmp_path, ONE, (1, Stream.STDOUT, "a"), (4, Stream.STDERR, "d"))
    write(tmp_path, ONE, (2, Stream.COMPARTMENT, "b"), name="compartment.log")
    write(tmp_path, TWO, (3, Stream.STDOUT, "c"))
    assert texts(tmp_path, ONE, TWO) == ["a", "b", "c", "d"]
    assert texts(tmp_path, ONE, TWO, tail=2) == ["c", "d"]
    assert texts(tmp_path, ONE, TWO, tail=0) == []
    assert texts(tmp_path, TWO) == ["c"]
    assert texts(tmp_path, ONE, TWO, streams=frozenset({Stream.STDERR})) == ["d"]
    assert texts(tmp_path, ONE, TWO, since=BEGIN + timedelta(seconds=3)) == ["c", "d"]
    assert texts(tmp_path, ONE, TWO, grep=Expression("[ad]")) == ["a", "d"]
    assert texts(tmp_path, LogSource("dep_none", "web", "production")) == []


def test_rotated_parts_are_read_as_one(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "dep_1" / "dep_1.1.log", size_bytes=2000)
    for number in range(120):
        file.append([Line(at(number), Stream.STDOUT, str(number))])
    file.close()
    found = [int(text) for text in texts(tmp_path, ONE)]
    assert len(found) > 60
    assert found == list(range(120 - len(found), 120))
    assert texts(tmp_path, ONE, tail=70) == [str(number) for number in range(50, 120)]


def test_damaged_lines_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path, ONE, (1, Stream.STDOUT, "a"))
    path = tmp_path / "dep_1" / "dep_1.1.log"
    path.write_bytes(path.read_bytes() + b"\xff\x00 rubbish\n\n")
    write(tmp_path, ONE, (2, Stream.STDOUT, "b"))
    assert texts(tmp_path, ONE) == ["a", "b"]


def test_keys_of_a_line(tmp_path: Path) -> None:
    write(tmp_path, ONE, (1, Stream.STDOUT, "a"))
    (line,) = read(tmp_path, [ONE], LogQuery())
    assert line.as_json() == {
        "timestamp": "2026-04-24T10:00:01.000000Z",
        "stream": "stdout",
        "message": "a",
        "deploymentId": "dep_1",
        "serviceName": "web",
        "environmentName": "production",
    }


def test_the_tail_of_a_large_file_is_quick(tmp_path: Path, figures: FiguresRecorder) -> None:
    path = tmp_path / "dep_1" / "dep_1.1.log"
    path.parent.mkdir()
    line = encode(Line(at(1), Stream.STDOUT, "x" * 200))
    path.write_bytes(line * 500_000)
    began = time.perf_counter()
    assert len(texts(tmp_path, ONE, tail=100)) == 100
    spent_s = time.perf_counter() - began
    figures(f"tail of a log of {path.stat().st_size / 1e6:.0f} MB", spent_s * 1000, "ms", 50)
    assert spent_s < 0.5


def test_the_compartment_stream(tmp_path: Path) -> None:
    log = CompartmentLog(tmp_path)
    log.write("dep_1", "stage: building")
    log.write("dep_1", "first\nsecond \x1b[2Jcleaned")
    log.close()
    found = read(tmp_path, [ONE], LogQuery())
    assert [line.message for line in found] == ["stage: building", "first", "second cleaned"]
    assert {line.stream for line in found} == {Stream.COMPARTMENT}


def test_many_deployments_do_not_keep_many_files_open(tmp_path: Path) -> None:
    log = CompartmentLog(tmp_path)
    for number in range(200):
        log.write(f"dep_{number}", "hello")
    assert len(log._files) < 50
    log.write("dep_0", "again")
    log.close()
    assert texts(tmp_path, LogSource("dep_0", "web", "production")) == ["hello", "again"]
