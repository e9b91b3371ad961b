"""Recordings: the messages of a feed as NDJSON, a header first.

{"recording": 1, "version": "0.2.0", "project": "shop", "environment": "production", "at": "..."}
{"t": 0.012, "link": {"at": "...", "isUp": true, "reason": ""}}
{"t": 0.013, "update": {...}}        a line of `GET /v1/watch`
{"t": 1.5, "lines": [{...}, ...]}    log lines
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from core import __version__
from core.errors import ConfigError
from tui.feed.messages import Lines, LinkChanged, Message, Update
from tui.view.board import Board
from tui.view.state import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FORMAT: Final = 1
_LINE_KEYS: Final = ("timestamp", "stream", "message", "deploymentId", "serviceName")


@dataclass(frozen=True, slots=True)
class Header:
    """What a recording is of."""

    project: str
    environment: str
    at: datetime
    """When it was begun."""

    def as_json(self) -> dict[str, Any]:
        """The first line of the file."""
        return {
            "recording": FORMAT,
            "version": __version__,
            "project": self.project,
            "environment": self.environment,
            "at": self.at.isoformat(),
        }

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> Header:
        """As it was written; ValueError where it was not."""
        if found.get("recording") != FORMAT:
            raise ValueError(
                "it is no recording"
                if "recording" not in found
                else f"it is a recording of format {found['recording']!r}, and this is {FORMAT}"
            )
        at = datetime.fromisoformat(found["at"])
        if at.tzinfo is None:
            raise ValueError("`at` has no time zone")
        return cls(_text(found["project"]), _text(found["environment"]), at)


@dataclass(frozen=True, slots=True)
class Entry:
    """A message with its time, in seconds from the beginning of the recording."""

    t: float
    message: Message

    def as_json(self) -> dict[str, Any]:
        """A line of the file."""
        t = round(self.t, 6)
        match self.message:
            case Update(body):
                return {"t": t, "update": body}
            case Lines(lines):
                return {"t": t, "lines": lines}
            case LinkChanged(at, is_up, reason):
                return {"t": t, "link": {"at": at.isoformat(), "isUp": is_up, "reason": reason}}
            case _:
                raise TypeError(f"{self.message} is not recorded")

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> Entry | None:
        """As it was written; None for a kind of a later version, ValueError for damage."""
        t = found.get("t")
        if isinstance(t, bool) or not isinstance(t, int | float) or not 0 <= t < math.inf:
            raise ValueError("`t` is no time")
        message = _message(found)
        return cls(t, message) if message else None


def _message(found: Mapping[str, Any]) -> Message | None:
    if "update" in found:
        return Update(_object(found["update"]))
    if "lines" in found:
        lines = [_object(line) for line in _list(found["lines"])]
        for line in lines:
            for key in _LINE_KEYS:
                _text(line[key])
            datetime.fromisoformat(line["timestamp"])
        return Lines(lines)
    if "link" in found:
        link = _object(found["link"])
        at, is_up = datetime.fromisoformat(link["at"]), link["isUp"]
        if not isinstance(is_up, bool) or at.tzinfo is None:
            raise ValueError("`link` is damaged")
        return LinkChanged(at, is_up=is_up, reason=_text(link.get("reason", "")))
    return None


def _object(found: object) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise ValueError("an object is missing")  # noqa: TRY004 - about a file, not a call
    return found


def _list(found: object) -> list[Any]:
    if not isinstance(found, list):
        raise ValueError("a list is missing")  # noqa: TRY004 - about a file, not a call
    return found


def _text(found: object) -> str:
    if not isinstance(found, str):
        raise ValueError("a text is missing")  # noqa: TRY004 - about a file, not a call
    return found


def check(path: Path) -> Header:
    """The header of a recording whose every line makes sense.

    Raises:
        ConfigError: it is damaged, and where.
        OSError: it cannot be read.
    """
    header, board = None, None
    number = 1
    try:
        for number, line in _lines(path):  # noqa: B007 - told where it is damaged
            if board is None:
                header = Header.read(line)
                board = Board(Place(header.project, header.environment))
            else:
                entry = Entry.read(line)
                if entry is not None and isinstance(entry.message, Update):
                    board.apply(entry.message.body)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(path, number, _words(error)) from error
    if header is None:
        raise _damaged(path, 1, "it is empty")
    return header


def entries(path: Path) -> Iterator[Entry]:
    """The messages of a recording that has been checked, one by one: it may be large."""
    for number, line in _lines(path):
        entry = Entry.read(line) if number > 1 else None
        if entry is not None:
            yield entry


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The lines with their numbers; the last one may be torn, as a recorder may have died."""
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            try:
                found = json.loads(raw)
            except ValueError as error:
                if not raw.endswith(b"\n") and number > 1:
                    return
                raise _damaged(path, number, "it is not JSON") from error
            if not isinstance(found, dict):
                raise _damaged(path, number, "it is not a JSON object")
            yield number, found


def _words(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing"
    return str(error)


def _damaged(path: Path, number: int, what: str) -> ConfigError:
    return ConfigError(
        f"{path}:{number}: {what}",
        hint="recordings are made with: compartment-tui --record FILE",
        code="invalid_recording",
    )
