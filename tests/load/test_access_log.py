from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.load.access_log import AccessLog

if TYPE_CHECKING:
    from pathlib import Path

IDENTITY = {"time": 1.5, "service": "web", "pid": 7}


def write_log(path: Path, *lines: dict[str, object]) -> AccessLog:
    path.write_text("".join(json.dumps({**IDENTITY, **line}) + "\n" for line in lines))
    return AccessLog.read(path)


def request(number: str, version: str = "1") -> dict[str, object]:
    return {"event": "request", "version": version, "id": number}


def test_ids_that_are_missing_or_repeated_are_found(tmp_path: Path) -> None:
    lines = [request("a"), request("b"), request("b", version="2"), request("x")]
    log = write_log(tmp_path / "log", *lines)
    assert log.not_exactly_once(["a"]) == {}
    assert log.not_exactly_once(["a", "b", "c"]) == {"b": 2, "c": 0}


def test_events_are_found_by_name_and_version(tmp_path: Path) -> None:
    sigterm = {"event": "sigterm", "version": "1", "open_requests": 0}
    log = write_log(tmp_path / "log", request("a"), sigterm, request("b", version="2"))
    (found,) = log.named("sigterm")
    assert (found.version, found.pid, found.time, found.details) == (
        "1",
        7,
        1.5,
        {"open_requests": 0},
    )
    assert [x.details["id"] for x in log.named("request", version="2")] == ["b"]


def test_no_file_is_an_empty_log(tmp_path: Path) -> None:
    log = AccessLog.read(tmp_path / "missing")
    assert log.events == ()
    assert log.not_exactly_once(["a"]) == {"a": 0}
