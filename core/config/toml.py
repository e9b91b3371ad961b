"""TOML with the position of every key that begins a line, in tables and in lists of tables."""

from __future__ import annotations

import re
import tomllib

from core.config.document import Document, KeyPath, Position
from core.config.text import UnreadableText, decode
from core.model import Problem

_SYNTAX = re.compile(r"^(.*) \(at (?:line (\d+), column (\d+)|end of document)\)$", re.DOTALL)
_NAME = r"(?:\"([^\"]*)\"|'([^']*)'|([A-Za-z0-9_-]+))"
_KEY = re.compile(rf"[ \t]*{_NAME}[ \t]*(=[ \t]*)?")
_HEADER = re.compile(r"[ \t]*(\[\[?)[ \t]*(?=[\"'A-Za-z0-9_-])")
_DOT = re.compile(r"[ \t]*\.[ \t]*")
_LONG_TEXT = re.compile(r"\"\"\"|'''")


def read_toml(content: bytes, file: str) -> Document:
    """Return what a file holds and everything that is wrong with it as TOML; never raises.

    Args:
        content: The bytes of the file.
        file: Its name in problems.
    """
    try:
        text = decode(content)
        data = tomllib.loads(text)
    except UnreadableText as error:
        return Document(file, problems=(Problem(file, *error.position, error.message, error.hint),))
    except tomllib.TOMLDecodeError as error:
        return Document(file, problems=(_syntax_error(str(error), file, text),))
    except RecursionError:
        return Document(file, problems=(Problem(file, 1, 1, "nested too deeply"),))
    keys, values = _positions(text)
    return Document(file, data, keys, values)


def _syntax_error(message: str, file: str, text: str) -> Problem:
    found = _SYNTAX.match(message)
    reason = found[1] if found else message
    lines = text.split("\n")
    position = Position(len(lines), len(lines[-1]) + 1)
    if found and found[2]:
        position = Position(int(found[2]), int(found[3]))
    return Problem(file, *position, f"not valid TOML: {reason[:1].lower()}{reason[1:]}")


class _Positions:
    """Where keys and values are, line by line; what a text over several lines holds is none."""

    def __init__(self) -> None:
        self.keys: dict[KeyPath, Position] = {}
        self.values: dict[KeyPath, Position] = {}
        self._table: KeyPath = ()
        self._counts: dict[KeyPath, int] = {}
        """How many tables there are so far of each list of tables."""
        self._quotes: str | None = None
        """What ends the text that has begun on a line before."""

    def read(self, number: int, line: str) -> None:
        """Takes the next line."""
        if self._quotes is None:
            self._read(number, line)
        for quotes in _LONG_TEXT.findall(line):
            if self._quotes is None:
                self._quotes = quotes
            elif quotes == self._quotes:
                self._quotes = None

    def _read(self, number: int, line: str) -> None:
        header = _HEADER.match(line)
        if header:
            self._begin_table(number, line, header.end(), is_one_of_many=header[1] == "[[")
            return
        found = _KEY.match(line)
        if found is None or not found.lastindex:
            return
        group = _group(found)
        path = (*self._table, found[group])
        self.keys.setdefault(path, Position(number, found.start(group) + 1))
        if found[4]:
            self.values.setdefault(path, Position(number, found.end() + 1))

    def _begin_table(self, number: int, line: str, at: int, *, is_one_of_many: bool) -> None:
        path: KeyPath = ()
        place = Position(number, at + 1)
        while (found := _KEY.match(line, at)) is not None:
            path = (*self._newest(path), found[_group(found)])
            dot = _DOT.match(line, found.end())
            if dot is None:
                break
            at = dot.end()
        self.keys.setdefault(path, place)
        if is_one_of_many:
            self._counts[path] = self._counts.get(path, 0) + 1
            path = self._newest(path)
            self.keys.setdefault(path, place)
        self._table = path

    def _newest(self, path: KeyPath) -> KeyPath:
        """Where the next key of a path leads to: of a list of tables into the last one."""
        return (*path, self._counts[path] - 1) if path in self._counts else path


def _group(found: re.Match[str]) -> int:
    """Which of the three ways to write a name it is."""
    return next(each for each in (1, 2, 3) if found[each] is not None)


def _positions(text: str) -> tuple[dict[KeyPath, Position], dict[KeyPath, Position]]:
    positions = _Positions()
    for number, line in enumerate(text.split("\n"), start=1):
        positions.read(number, line)
    return positions.keys, positions.values
