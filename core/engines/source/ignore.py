"""What `.gitignore` files leave out, decided exactly as git decides it.

pathspec is not used for this: it judges a path together with its parents, while git judges every
entry by itself and never looks into a folder that it left out. With the lines `*.d` and `!keep/`
git leaves out `keep/x.d/`, pathspec does not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LETTERS = {
    b"alpha": rb"[A-Za-z]",
    b"digit": rb"[0-9]",
    b"alnum": rb"[A-Za-z0-9]",
    b"upper": rb"[A-Z]",
    b"lower": rb"[a-z]",
    b"xdigit": rb"[0-9A-Fa-f]",
    b"space": rb"[ \t\n\v\f\r]",
    b"blank": rb"[ \t]",
    b"cntrl": rb"[\x00-\x1f\x7f]",
    b"print": rb"[ -~]",
    b"graph": rb"[!-~]",
    b"punct": rb"[!-/:-@\[-`{-~]",
}
_NEVER = rb"(?!)"
_SPECIAL = re.compile(rb"[*?\[\\]")
_STARS = re.compile(rb"\*+")
_CLASS_ITEM = re.compile(
    rb"\[:(?P<name>[^\]]*):\]"
    rb"|(?P<low>\\.|[^\\])-(?!\])(?P<high>\\.|[^\\])"
    rb"|(?P<one>\\.|[^\\])",
    re.DOTALL,
)


class _Malformed(Exception):
    """A pattern that git never matches."""


@dataclass(frozen=True, slots=True)
class Rules:
    """One `.gitignore` as one expression; its first alternative is the last line, which wins."""

    expression: re.Pattern[bytes]
    negated: tuple[bool, ...]

    def decide(self, path: bytes, *, is_folder: bool) -> bool | None:
        """Whether the entry is left out; None when no line speaks of it.

        Args:
            path: Relative to the folder of the `.gitignore`, without a slash at the end.
            is_folder: Whether the entry is a folder; a symbolic link never is.
        """
        match = self.expression.fullmatch((b"d" if is_folder else b"f") + path)
        if match is None or match.lastindex is None:
            return None
        return not self.negated[match.lastindex - 1]


@lru_cache(maxsize=256)
def rules(text: bytes) -> Rules | None:
    """The rules in the contents of a `.gitignore`; None when it holds none."""
    found = [(_expression(line.removeprefix(b"!")), line[:1] == b"!") for line in _lines(text)]
    usable = [(expression, negated) for expression, negated in reversed(found) if expression]
    if not usable:
        return None
    alternatives = b"|".join(b"(" + expression + b")" for expression, _ in usable)
    return Rules(re.compile(alternatives, re.DOTALL), tuple(negated for _, negated in usable))


def _lines(text: bytes) -> Iterator[bytes]:
    """The lines that are patterns, without the spaces at their end that no backslash protects."""
    for line in text.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        if not line.startswith(b"#"):
            kept = re.match(rb"(?:\\.|[^\\ ]|\\$| +(?=[^ ]))*", line.removesuffix(b"\r"), re.DOTALL)
            if kept and kept.group():
                yield kept.group()


def _expression(pattern: bytes) -> bytes | None:
    """The pattern as an expression over a kind letter and a path; None when it can never match."""
    only_folders = pattern.endswith(b"/")
    pattern = pattern.removesuffix(b"/")
    if not pattern:
        return None
    is_anchored = b"/" in pattern
    anywhere = rb"" if is_anchored else rb"(?:.*/)?"
    try:
        body = b"".join(_parts(pattern.removeprefix(b"/"), is_anchored=is_anchored))
    except _Malformed:
        return None
    return (b"d" if only_folders else b".") + anywhere + body


def _parts(pattern: bytes, *, is_anchored: bool) -> Iterator[bytes]:
    position = 0
    while position < len(pattern):
        character = pattern[position : position + 1]
        if character == b"*":
            part, position = _stars(pattern, position) if is_anchored else _star(pattern, position)
        elif character == b"[":
            part, position = _class(pattern, position + 1)
        elif character == b"\\":
            if position + 1 == len(pattern):
                raise _Malformed
            part, position = re.escape(pattern[position + 1 : position + 2]), position + 2
        else:
            part, position = (b"[^/]" if character == b"?" else re.escape(character)), position + 1
        yield part


def _star(pattern: bytes, start: int) -> tuple[bytes, int]:
    run = _STARS.match(pattern, start)
    assert run is not None
    return b"[^/]*", run.end()


def _stars(pattern: bytes, start: int) -> tuple[bytes, int]:
    """One or more stars from `start`; two or more cross folders when they stand between slashes.

    Git cuts the plain text off before it matches, so stars right after it count as the beginning.
    """
    single, end = _star(pattern, start)
    plain = _SPECIAL.search(pattern)
    assert plain is not None
    if end - start == 1 or (pattern[start - 1 : start] != b"/" and plain.start() != start):
        return single, end
    if pattern[end : end + 1] == b"/":
        return b"(?:.*/)?", end + 1
    if end == len(pattern) or pattern[end : end + 2] == b"\\/":
        return b".*", end
    return single, end


def _class(pattern: bytes, start: int) -> tuple[bytes, int]:
    """A bracket expression whose content begins at `start`; it never matches a slash."""
    is_negated = pattern[start : start + 1] in (b"!", b"^")
    position = start + is_negated
    members: set[int] = set()
    is_first = True
    while is_first or pattern[position : position + 1] != b"]":
        item = _CLASS_ITEM.match(pattern, position)
        if item is None:
            raise _Malformed
        members |= _members(item)
        position = item.end()
        is_first = False
    if is_negated:
        members = set(range(256)) - members
    members.discard(ord("/"))
    listed = b"".join(b"\\x%02x" % member for member in sorted(members))
    return (b"[" + listed + b"]" if listed else _NEVER), position + 1


def _members(item: re.Match[bytes]) -> set[int]:
    if item["name"] is not None:
        if item["name"] not in _LETTERS:
            raise _Malformed
        letter = re.compile(_LETTERS[item["name"]])
        return {code for code in range(256) if letter.match(bytes([code]))}
    if item["low"] is not None:
        low, high = item["low"][-1], item["high"][-1]
        return {low, *range(low, high + 1)}  # git takes the first letter before it sees a range
    return {item["one"][-1]}
