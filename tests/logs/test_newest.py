"""Reading what is kept: merged by time, filtered, and only as much as it takes."""

from __future__ import annotations

import os
import time
from pathlib import Path

from core.lines import Line, RotatingFile, encode, part
from core.logs.reader import LogQuery, read
from core.model import Stream
from tests.logs.writing import API, WEB, second, write

EVERYTHING = LogQuery()


def messages(logs: Path, query: LogQuery = EVERYTHING) -> list[str]:
    return [line.message for line in read(logs, [WEB, API], query)]


def test_nothing_is_there_yet(tmp_path: Path) -> None:
    assert read(tmp_path, [WEB], EVERYTHING) == []


def test_equal_times_keep_the_order_of_the_file(tmp_path: Path) -> None:
    texts = [f"{number}" for number in range(1000)]
    write(tmp_path / "dep_a/dep_a.1.log", *texts)
    assert messages(tmp_path) == texts


def test_damaged_lines_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "dep_a/dep_a.1.log"
    write(path, "one")
    with path.open("ab") as file:
        file.write(b"\x00\xff garbage\n")
    write(path, "two")
    with path.open("ab") as file:
        file.write(encode(Line(second(9), Stream.STDOUT, "being written"))[:-1])
    assert messages(tmp_path) == ["one", "two"]


def test_reads_across_parts_and_blocks(tmp_path: Path) -> None:
    path = tmp_path / "dep_a/dep_a.1.log"
    file = RotatingFile(path, size_bytes=300_000)
    texts = [f"{number} " + "x" * (number * 37 % 2000) for number in range(600)]
    for number, text in enumerate(texts):
        file.append([Line(second(number), Stream.STDOUT, text)])
    file.close()
    assert part(path, 2).exists()
    assert messages(tmp_path) == texts
    assert messages(tmp_path, LogQuery(tail=450)) == texts[-450:]


def test_the_tail_of_a_big_file_is_read_from_its_end(tmp_path: Path) -> None:
    path = tmp_path / "dep_a/dep_a.1.log"
    write(path, "first")
    with path.open("r+b") as file:
        file.truncate(4 * 1024**3)  # sparse: it takes no room, but reading it would take minutes
        file.seek(0, os.SEEK_END)
        file.write(b"\n")
    write(path, *[f"line {number}" for number in range(200)])
    began = time.monotonic()
    assert messages(tmp_path, LogQuery(tail=100)) == [
        f"line {number}" for number in range(100, 200)
    ]
    assert time.monotonic() - began < 20


def test_no_file_is_left_open(tmp_path: Path) -> None:
    write(tmp_path / "dep_a/dep_a.1.log", "a", "b")
    before = len(list(Path("/proc/self/fd").iterdir()))
    messages(tmp_path, LogQuery(tail=1))
    assert len(list(Path("/proc/self/fd").iterdir())) == before
