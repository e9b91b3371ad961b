"""The bytes of a project file as text: UTF-8, of sensible size, without control characters."""

from __future__ import annotations

import re

from core.config.document import Position

MAX_BYTES = 1024 * 1024

# NEL and the Unicode line and paragraph separators are line breaks in YAML 1.1 but not in 1.2: the
# parser would end a comment there and read the rest as content.
_FORBIDDEN = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


class UnreadableText(Exception):
    """A file cannot be read any further; says where, why, and how to mend it."""

    def __init__(self, position: Position, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.position = position
        self.message = message
        self.hint = hint


def decode(content: bytes) -> str:
    """Return the text of a file without its byte order mark.

    Raises:
        UnreadableText: It is too large, not UTF-8, or holds a control character.
    """
    if len(content) > MAX_BYTES:
        raise UnreadableText(Position(1, 1), f"the file is larger than {MAX_BYTES // 1024} KiB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode()
        message = f"the file is not UTF-8: byte 0x{error.object[error.start]:02x}"
        raise UnreadableText(_end_of(before), message, "save it with the encoding UTF-8") from error
    forbidden = _FORBIDDEN.search(text)
    if forbidden:
        message = f"the character U+{ord(forbidden[0]):04X} is not allowed in this file"
        raise UnreadableText(_end_of(text[: forbidden.start()]), message, "remove it")
    return text


def _end_of(text: str) -> Position:
    lines = re.split(r"\r\n|\r|\n", text)
    return Position(len(lines), len(lines[-1]) + 1)
