"""What a `.dockerignore` leaves out, decided as the engine's builder decides it.

It is not a `.gitignore`: a pattern speaks of the path from the top, the last one that matches a
path or a folder above it wins, and something in a folder that is left out can be taken back.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field

from core.errors import ConfigError

_PIECE = re.compile(
    r"(?P<stars>\*\*/?)|(?P<class>\[[^\]]+\])|\\(?P<escaped>.)|(?P<one>.)", re.DOTALL
)
_SPECIAL = re.compile(r"[*?\[\\]")


@dataclass(frozen=True, slots=True)
class _Pattern:
    text: str
    expression: re.Pattern[str]
    is_exception: bool


@dataclass(slots=True)
class Patterns:
    """The patterns of one file; asked about a folder before anything in it."""

    patterns: tuple[_Pattern, ...]
    _above: dict[str, tuple[bool, ...]] = field(default_factory=dict)
    """For each folder, which patterns match it or a folder above it."""

    def left_out(self, path: str, is_folder: bool) -> bool:  # noqa: FBT001  a `LeftOut`
        """Whether a path does not count; a folder, only if nothing in it can count either."""
        matches = self._matches(path)
        if is_folder:
            self._above[path] = matches
        decided = False
        for pattern, is_match in zip(self.patterns, matches, strict=True):
            if is_match:
                decided = not pattern.is_exception
        return decided and not (is_folder and self._may_return(path))

    def _matches(self, path: str) -> tuple[bool, ...]:
        above = self._above.get(path.rpartition("/")[0]) or (False,) * len(self.patterns)
        return tuple(
            is_above or pattern.expression.fullmatch(path) is not None
            for pattern, is_above in zip(self.patterns, above, strict=True)
        )

    def _may_return(self, folder: str) -> bool:
        exceptions = [pattern.text for pattern in self.patterns if pattern.is_exception]
        return any(_SPECIAL.search(e) or e.startswith(f"{folder}/") for e in exceptions)


def patterns(text: str, always: tuple[str, ...] = ()) -> Patterns:
    """The patterns of a file, after those that count always.

    Raises:
        ConfigError: a pattern that the engine would not take.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    found = [_pattern(line.strip()) for line in always]
    for number, line in enumerate(lines, 1):
        if line.startswith("#") or not line.strip():
            continue
        try:
            found.append(_pattern(line.strip()))
        except re.error:
            raise ConfigError(
                f".dockerignore, line {number}: {line.strip()} is not a pattern",
                hint="mend the line",
            ) from None
    return Patterns(tuple(found))


def _pattern(line: str) -> _Pattern:
    text = line.removeprefix("!").strip()
    if not text:
        raise re.error("an exclamation mark alone")
    text = posixpath.normpath(text).lstrip("/") or "/"
    expression = "".join(_part(piece, text) for piece in _PIECE.finditer(text))
    return _Pattern(text, re.compile(expression, re.DOTALL), line.startswith("!"))


def _part(piece: re.Match[str], text: str) -> str:
    if piece["stars"]:
        return ".*" if piece.end() == len(text) else "(?:.*/)?"
    if piece["class"]:
        return piece["class"]
    if piece["escaped"]:
        return re.escape(piece["escaped"])
    if piece["one"] == "[":
        raise re.error("a class that does not end")
    return {"*": "[^/]*", "?": "[^/]"}.get(piece["one"], re.escape(piece["one"]))
