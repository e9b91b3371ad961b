"""Lines made of frames, and which of them a log has already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.engines.docker.logs import _Known, _Lines
from core.lines import Line, RotatingFile
from core.model import Stream
from core.secrets import Mask

if TYPE_CHECKING:
    from pathlib import Path

    from core.engines.docker.frames import Frame


def _frame(at: int, text: str, stream: Stream = Stream.STDOUT) -> Frame:
    return stream, f"2025-01-01T00:00:00.{at:09}Z {text}".encode()


def _line(at: int, text: str, stream: Stream = Stream.STDOUT) -> Line:
    return Line(f"2025-01-01T00:00:00.{at // 1000:06}Z", stream, text)


def test_a_line_has_the_stamp_of_the_engine() -> None:
    assert _Lines(Mask()).feed([_frame(123_456_789, "one\n")]) == [_line(123_456_789, "one")]


def test_parts_of_a_long_line_are_joined() -> None:
    lines = _Lines(Mask())
    frames = [_frame(1000, "aaa"), _frame(2000, "e\n", Stream.STDERR), _frame(1000, "bbb\n")]
    assert lines.feed(frames) == [_line(2000, "e", Stream.STDERR), _line(1000, "aaabbb")]
    assert lines.flush() == []


def test_the_unended_line_of_a_start_is_not_joined_to_the_next_start() -> None:
    lines = _Lines(Mask())
    found = lines.feed([_frame(1000, "half"), _frame(9000, "next\n"), _frame(9500, "last")])
    assert found == [_line(1000, "half"), _line(9000, "next")]
    assert lines.flush() == [_line(9500, "last")]


def test_what_a_log_holds_is_left_out_once_for_each_time(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    same, later = _line(5000, "same"), _line(6000, "later")
    own = Line(same.at, Stream.COMPARTMENT, "ours")
    file = RotatingFile(path)
    file.append([same, same, own, later])
    file.close()
    known = _Known(path)
    # What is stamped earlier may come later: two streams write at the same time.
    late = _line(4000, "late")
    assert known.without([same, late, same, same, later, later]) == [late, same, later]


def test_a_log_that_holds_nothing_is_read_from_the_beginning(tmp_path: Path) -> None:
    assert _Known(tmp_path / "none.log").since == "0"


def test_it_goes_back_a_little_in_all_parts_of_a_log(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    file = RotatingFile(path, size_bytes=2_000, parts=9)
    lines = [_line(n * 1_000_000, f"line {n}") for n in range(200)]
    for line in lines:
        file.append([line])
    file.close()
    assert (tmp_path / "x.log.3").exists()
    known = _Known(path)
    assert known.since == "1735689595.199000"
    assert known.without(lines) == []


def test_old_lines_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    file = RotatingFile(path)
    old = Line("2024-01-01T00:00:00.000000Z", Stream.STDOUT, "old")
    file.append([old, _line(0, "new")])
    file.close()
    assert _Known(path).without([old]) == [old]


def test_a_line_that_was_begun_long_ago_is_asked_for_again(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    file = RotatingFile(path)
    file.append([_line(0, "first"), _line(100_000_000, "last")])
    file.close()
    lines = _Lines(Mask())
    assert lines.begun is None
    lines.feed([_frame(900_000_000, "e", Stream.STDERR), _frame(5000, "half")])
    assert lines.begun == _line(5000, "").at
    known = _Known(path, "2024-12-31T00:00:00.000000Z")
    assert known.since == "1735603195.000000"
    assert known.without([_line(0, "first"), _line(100_000_000, "last")]) == []
