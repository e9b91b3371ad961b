"""The reader behind `dotenv`, which says what is understood."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.config.document import Position, quote
from core.config.interpolation import BrokenTemplate, interpolate
from core.model import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

_BLANK = re.compile(r"(?:\s|#[^\n]*)*")
_SPACE = "\t\v\f\r \x85\xa0"
_SPACES = re.compile(f"[{_SPACE}]*")
_EXPORT = re.compile(rf"export[{_SPACE}]+(?![=:{_SPACE}])")
_KEY = re.compile(r"[^=:\n]*")
_LINE = re.compile(r"[^\n]*")
_QUOTED = {
    "'": re.compile(r"'((?:[^'\\]|\\.)*+)'", re.DOTALL),
    '"': re.compile(r'"((?:[^"\\]|\\.)*+)"', re.DOTALL),
}
_ESCAPE = re.compile(r"\\(0[0-3][0-7]{2}|[abfnrtv\\\"$])")
_ESCAPED = {
    **dict(zip('abfnrtv\\"', '\a\b\f\n\r\t\v\\"', strict=True)),
    "$": "$$",  # for the interpolation, which comes after
}
_IMPOSSIBLE = re.compile("[\0\ud800-\udfff]")
"""What no variable of a process can hold."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One variable as a file gives it, and where; None: it is not set after all."""

    name: str
    value: str | None
    position: Position


class DotenvReader:
    """Reads one text from its start to its end; `_at` is how far it is."""

    def __init__(self, text: str, file: str, environ: Mapping[str, str]) -> None:
        self.entries: list[Entry] = []
        self.warnings: dict[Problem, None] = {}
        self.problems: list[Problem] = []
        self._text = text = text.removeprefix("\ufeff").replace("\r\n", "\n")
        self._file = file
        self._environ = environ
        self._above: dict[str, str] = {}
        self._lines = [0, *(found.end() for found in re.finditer("\n", text))]
        self._at = 0

    def read(self) -> None:
        """Reads all of it: what it holds, and everything that is wrong with it."""
        while self._at < len(self._text):
            self._take(_BLANK)
            if self._at < len(self._text):
                self._statement()

    def _statement(self) -> None:
        self._take(_EXPORT)
        start = self._at
        name = self._take(_KEY).rstrip(_SPACE)
        is_valid = self._check_name(name, start)
        value = self._environ.get(name)
        if self._text[self._at : self._at + 1] in ("=", ":"):
            self._at += 1
            value = self._value()
            if value is None:
                return
        if value is not None and _IMPOSSIBLE.search(value):
            self._problem(start, f"the value of {quote(name)} holds a NUL character, or no UTF-8")
        elif is_valid:
            self.entries.append(Entry(name, value, self._position(start)))
            if value is not None:
                self._above[name] = value

    def _check_name(self, name: str, start: int) -> bool:
        odd = next((c for c in name if not c.isalnum() and c not in "_.-[]"), None)
        if not name:
            self._problem(start, "there is no name before the value", "write NAME=value")
        elif odd is not None and odd in _SPACE:
            self._problem(start, "a name cannot hold a space", "write NAME=value")
        elif odd is not None:
            self._problem(start, f"a name cannot hold {quote(odd)}", "write NAME=value")
        return bool(name) and odd is None

    def _value(self) -> str | None:
        """The value after a name; None if there is something wrong with it."""
        has_space = self._take(_SPACES) != ""
        start = self._at
        mark = self._text[start : start + 1]
        if mark in ("'", '"'):
            return self._quoted(mark)
        line = self._take(_LINE)
        if has_space and line.startswith("#"):
            return ""
        return self._replaced(line.partition(" #")[0].rstrip(), start)

    def _quoted(self, mark: str) -> str | None:
        start = self._at
        found = _QUOTED[mark].match(self._text, start)
        if found is None:
            self._problem(start, "the quote that opens here is never closed", "close it")
            self._at = len(self._text)
            return None
        self._at = found.end()
        rest = self._at
        if self._take(_LINE).lstrip(_SPACE)[:1] not in ("", "#"):
            hint = "put all of the value inside the quotes"
            self._problem(rest, "the line goes on after the closing quote", hint)
            return None
        if mark == '"':
            return self._replaced(found[1], start + 1, has_escapes=True)
        return re.sub(r"\\(.)", _unless_quote, found[1], flags=re.DOTALL)

    def _replaced(self, raw: str, start: int, *, has_escapes: bool = False) -> str | None:
        """A value with its escapes and variables replaced; it begins at `start`."""
        lines = raw.split("\n")
        if has_escapes:
            lines = [_ESCAPE.sub(_unescaped, line) for line in lines]
        try:
            found = interpolate("\n".join(lines), self._lookup)
        except BrokenTemplate as error:
            hint = "put the value into single quotes, or write $$ for a dollar sign"
            if error.required:
                hint = f"set {error.required} in this shell, or in the file above"
            self._problem(self._line_in(start, lines, error.offset), error.message, hint)
            return None
        for unset in found.unset:
            at = self._line_in(start, lines, unset.offset)
            message = f"the variable {unset.name} is not set: it is replaced by nothing"
            hint = "if the dollar sign is part of the value, put it into single quotes"
            self.warnings[Problem(self._file, *self._position(at), message, hint)] = None
        return found.text

    def _line_in(self, start: int, lines: list[str], offset: int) -> int:
        """Where in the file the line of a value begins that holds an offset into it."""
        index = 0
        while offset > len(lines[index]):
            offset -= len(lines[index]) + 1
            index += 1
        return self._lines[bisect_right(self._lines, start) - 1 + index] if index else start

    def _lookup(self, name: str) -> str | None:
        return self._environ.get(name, self._above.get(name))

    def _take(self, pattern: re.Pattern[str]) -> str:
        """What matches here, which is then behind us; may be nothing."""
        found = pattern.match(self._text, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found[0]

    def _position(self, at: int) -> Position:
        line = bisect_right(self._lines, at)
        return Position(line, at - self._lines[line - 1] + 1)

    def _problem(self, at: int, message: str, hint: str | None = None) -> None:
        self.problems.append(Problem(self._file, *self._position(at), message, hint))


def _unless_quote(escape: re.Match[str]) -> str:
    return "'" if escape[1] == "'" else escape[0]


def _unescaped(escape: re.Match[str]) -> str:
    code = escape[1]
    return chr(int(code, 8)) if code[0] == "0" else _ESCAPED[code]
