"""Log files and their parts, also while they are rotated."""

from __future__ import annotations

from itertools import pairwise
from threading import Thread
from typing import TYPE_CHECKING

from core.lines import Line, RotatingFile, part
from core.logs.files import log_files, open_parts
from core.model import Stream
from tests.logs.writing import AT, write

if TYPE_CHECKING:
    from pathlib import Path


def contents(path: Path) -> list[bytes]:
    parts = open_parts(path)
    try:
        return [each.file.read()[: each.end] for each in parts]
    finally:
        for each in parts:
            each.file.close()


def test_log_files_are_those_of_one_deployment(tmp_path: Path) -> None:
    for name in ("dep_a/compartment.log", "dep_a/dep_a.1.log", "dep_b/dep_b.1.log"):
        write(tmp_path / name, "x")
    write(part(tmp_path / "dep_a/dep_a.1.log", 1), "x")
    names = [path.name for path in log_files(tmp_path, "dep_a")]
    assert names == ["compartment.log", "dep_a.1.log"]
    assert log_files(tmp_path, "dep_c") == []


def test_parts_are_the_newest_first(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    for number in range(3):
        part(path, number).write_bytes(b"%d\n" % number)
    assert contents(path) == [b"0\n", b"1\n", b"2\n"]


def test_a_rotation_leaves_one_number_unused_for_a_moment(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    for number in (0, 2):
        part(path, number).write_bytes(b"%d\n" % number)
    assert contents(path) == [b"0\n", b"2\n"]
    path.unlink()
    part(path, 1).write_bytes(b"1\n")
    assert contents(path) == [b"1\n", b"2\n"]


def test_a_line_that_is_being_written_is_no_line_yet(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(b"whole\nhal" + b"f" * 100_000)
    assert contents(path) == [b"whole\n"]
    path.write_bytes(b"half")
    assert contents(path) == [b""]


def test_no_part_is_missed_or_doubled_while_it_is_rotated(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    file = RotatingFile(path, size_bytes=200, parts=4)

    def write_all() -> None:
        for number in range(5000):
            file.append([Line(AT, Stream.STDOUT, str(number))])

    writing = Thread(target=write_all)
    writing.start()
    while writing.is_alive():
        lines = b"".join(reversed(contents(path))).splitlines()
        numbers = [int(line.split()[-1]) for line in lines]
        assert all(later == number + 1 for number, later in pairwise(numbers))
    writing.join()
    file.close()
