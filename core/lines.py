"""A line of a log: cleaned once on the way in, stamped, and kept as one line of a file.

The shim that owns a service's pipes runs on this module, so it imports the standard library only.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from core.model import Stream

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LINE_LIMIT = 16_384
"""The longest message that is kept, in characters."""

_HEAD_BYTES = LINE_LIMIT * 4
_LETTERS = {Stream.STDOUT: "o", Stream.STDERR: "e", Stream.COMPARTMENT: "c"}
_STREAMS = {letter.encode(): stream for stream, letter in _LETTERS.items()}
_KEPT_LINE = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) ([oec]) ([^\n]*)\n?", re.DOTALL)
_CONTINUATION_BYTES = bytes(range(0x80, 0xC0))

UNWANTED = (
    r"\x00-\x08\x0a-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    r"\ufeff\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff"
)
"""For a regular expression: controls but the tab; format characters that reorder, hide or break
text. The joiners U+200C and U+200D stay: scripts and emoji need them. Lone surrogates cannot be
encoded."""
_is_suspicious = re.compile(f"[{UNWANTED}]").search
# The body of a string never runs over another control code: what is not terminated stays readable
# and the search linear on hostile input. `ESC [ > ... m` is no colour: digits and separators only.
_CONTROL_CODES = re.compile(
    r"(?P<colour>\x1b\[[0-9;:]{0,64}m)"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x80-\x9f]*(?:\x07|\x1b\\|\x9c)"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|\x1b[ -/]*[0-~]"
    r"|(?P<surrogate>[\ud800-\udfff])"
    rf"|(?!\r)[{UNWANTED}]"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `at` is ISO 8601 in UTC with microseconds and Z, `text` has been cleaned."""

    at: str
    stream: Stream
    text: str


def stamp(moment: datetime | None = None) -> str:
    """A moment, by default now, in the form of `Line.at`: text order is time order."""
    moment = moment.astimezone(UTC) if moment else datetime.now(UTC)
    return moment.isoformat(timespec="microseconds")[:26] + "Z"


def clean(text: str) -> str:
    """One line without anything that could steer a terminal or fool a reader.

    Colours (`ESC [ ... m`) and tabs are kept as data; a carriage return overwrites what stands
    before it.
    """
    if _is_suspicious(text) is None:
        return text
    text = _CONTROL_CODES.sub(_replacement, text).rstrip("\r")
    return text.rpartition("\r")[2]


def _replacement(match: re.Match[str]) -> str:
    if match["surrogate"]:
        return "\ufffd"
    return match["colour"] or ""


def shorten(text: str, more: int = 0) -> str:
    """At most `LINE_LIMIT` characters, then how many are missing, `more` of them cut before."""
    more += max(0, len(text) - LINE_LIMIT)
    if not more:
        return text
    return f"{clean(text[:LINE_LIMIT])} … [{more} more characters]"  # the cut may split a colour


def encode(line: Line) -> bytes:
    """The line as a log file keeps it."""
    return f"{line.at} {_LETTERS[line.stream]} {line.text}\n".encode()


def decode(raw: bytes) -> Line | None:
    """The line that a log file kept, or None if it is damaged."""
    match = _KEPT_LINE.fullmatch(raw)
    if match is None:
        return None
    at, letter, text = match.groups()
    return Line(at.decode(), _STREAMS[letter], text.decode(errors="replace"))


class Hides(Protocol):
    """What replaces values that must not be kept."""

    @property
    def reach(self) -> int:
        """The length of the longest one, 0 if there are none."""

    def mask_lines(self, texts: Sequence[str]) -> Sequence[str]:
        """The lines without them."""


class LineSplitter:
    """Cuts a stream of bytes into clean lines; of an endless line it keeps the head.

    What the mask hides is gone before anything is cut off, since half of a value would be missed.
    """

    def __init__(self, mask: Hides | None = None) -> None:
        self._mask = mask
        # A value may begin within the limit and end as far beyond it as it is long.
        self._head_bytes = _HEAD_BYTES + (mask.reach * 4 if mask else 0)
        self._head = bytearray()
        self._more = 0

    @property
    def is_pending(self) -> bool:
        """Whether a line has begun that no newline has ended yet."""
        return bool(self._head)

    def feed(self, chunk: bytes) -> list[str]:
        """The lines that end within the chunk."""
        *ended, begun = chunk.split(b"\n")
        taken = []
        for raw in ended:
            self._keep(raw)
            taken.append(self._take())
        self._keep(begun)
        return self._finished(taken)

    def flush(self) -> list[str]:
        """The line that has begun, if any, as if it had ended."""
        return self._finished([self._take()]) if self._head else []

    def _keep(self, raw: bytes) -> None:
        self._head += raw
        if len(self._head) <= self._head_bytes:
            return
        overwritten = self._head.rfind(b"\r", 0, len(self._head.rstrip(b"\r"))) + 1
        if overwritten:  # a progress bar that never ends its line: only what it shows last counts
            del self._head[:overwritten]
            self._more = 0
        self._more += len(self._head[self._head_bytes :].translate(None, _CONTINUATION_BYTES))
        del self._head[self._head_bytes :]

    def _take(self) -> tuple[str, int]:
        """The head of a line, and how many characters of it were cut off."""
        taken = self._head.decode(errors="backslashreplace"), self._more
        self._head.clear()
        self._more = 0
        return taken

    def _finished(self, taken: list[tuple[str, int]]) -> list[str]:
        if self._mask is None or not self._mask.reach:
            return [shorten(clean(text), more) for text, more in taken]
        texts = self._mask.mask_lines([text for text, _ in taken])
        # Again, since control codes within a value are gone only now.
        texts = self._mask.mask_lines([clean(text) for text in texts])
        return [
            _without_end(text, more, self._mask.reach * 4) if more else shorten(text)
            for text, (_, more) in zip(texts, taken, strict=True)
        ]


def _without_end(text: str, more: int, reach: int) -> str:
    """A line that was cut off, without the part at its end that may be a value's beginning."""
    kept = text[: max(0, len(text) - reach)]
    return shorten(kept, more + len(text) - len(kept))


def part(path: Path, number: int) -> Path:
    """The file that holds part `number` of a rotated log: 0 is written to, the others age."""
    return path.with_name(f"{path.name}.{number}") if number else path


class RotatingFile:
    """Appends lines to a file of bounded size and keeps a bounded number of parts, at least two.

    It never raises when the disk is full or read-only: lines are dropped and counted, and the first
    line that can be written again says how many were lost and why.
    """

    def __init__(self, path: Path, *, size_bytes: int = 10 * 1024 * 1024, parts: int = 3) -> None:
        self._path = path
        self._size_bytes = size_bytes
        self._parts = parts
        self._descriptor: int | None = None
        self._written = 0
        self._lost = 0
        self._reason = ""

    def append(self, lines: Sequence[Line]) -> None:
        """Write the lines, with one call."""
        if not lines:
            return
        entries = [encode(line) for line in lines]
        if self._lost:
            text = f"{self._lost} lines lost: {self._reason}"
            entries.insert(0, encode(Line(lines[0].at, Stream.COMPARTMENT, text)))
        batch = b"".join(entries)
        done = 0
        try:
            descriptor = self._room_for(len(batch))
            while done < len(batch):
                written = os.write(descriptor, batch[done:])
                done += written
                self._written += written
        except OSError as error:
            self._reason = error.strerror or str(error)
            self.close()
        kept = batch.count(b"\n", 0, done)
        if self._lost and kept:
            self._lost = 0
            kept -= 1
        self._lost += len(lines) - kept

    def close(self) -> None:
        """Close the file; the next `append` opens it again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _room_for(self, size_bytes: int) -> int:
        """The descriptor to write so many bytes to, after a rotation if they would be too many."""
        descriptor = self._open() if self._descriptor is None else self._descriptor
        if not self._written or self._written + size_bytes <= self._size_bytes:
            return descriptor
        self.close()
        for number in range(self._parts - 1, 0, -1):
            younger = part(self._path, number - 1)
            if younger.exists():
                younger.replace(part(self._path, number))
        return self._open()

    def _open(self) -> int:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = self._descriptor = os.open(self._path, flags, 0o600)
        self._written = os.fstat(descriptor).st_size
        if self._written and os.pread(descriptor, 1, self._written - 1) != b"\n":
            self._written += os.write(
                descriptor, b"\n"
            )  # ends the line that a full disk or a kill tore
        return descriptor
