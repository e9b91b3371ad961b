"""Values that must not be shown: found in whatever is said, and replaced.

The shim that owns a service's pipes runs on this module, so it imports the standard library only.
"""

from __future__ import annotations

import json
from string import ascii_letters, digits
from typing import TYPE_CHECKING

from core.lines import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

HIDDEN = "***"

_SHORTEST = 4
"""Shorter values are in every other word, and would hide more than they protect."""

_UNRESERVED = ascii_letters + digits + "-._~"
_LEFT_ALONE = (_UNRESERVED, _UNRESERVED + "/", _UNRESERVED + "!*'()")
"""What percent-encoders leave as it is: the strictest, Python's, and JavaScript's."""

_ESCAPED_BY_GO = {ord(char): f"\\u{ord(char):04x}" for char in "<>&"}


class Mask:
    """Replaces values, in every form in which programs print them.

    `str.replace` searches in linear time, whatever a text or a value looks like; a regular
    expression of all forms does not.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values: set[str] = set()
        self._forms: tuple[str, ...] = ()
        self.add(values)

    @property
    def reach(self) -> int:
        """The length of the longest form: so far before a cut one may have begun."""
        return len(self._forms[0]) if self._forms else 0

    def add(self, values: Iterable[str]) -> None:
        """Hides these values, too."""
        new = set(values) - self._values
        if new:
            self._values |= new
            forms = {*self._forms, *(form for value in new for form in _forms(value))}
            self._forms = tuple(sorted(forms, key=lambda form: (-len(form), form)))

    def mask(self, text: str) -> str:
        """The text without the values."""
        return _replaced(text, self._forms)

    def mask_lines(self, texts: Sequence[str]) -> Sequence[str]:
        """The same for many short texts, which are searched as one."""
        if not self._forms:
            return texts
        together = "\n".join(texts)
        found = [form for form in self._forms if form in together]
        if not found:
            return texts
        return [_replaced(text, found) for text in texts]


def _replaced(text: str, forms: Iterable[str]) -> str:
    for form in forms:
        text = text.replace(form, HIDDEN)
    return text


def _forms(value: str) -> Iterator[str]:
    """A value as it is, as its lines, and as loggers, tracebacks and URLs have it."""
    whole = (value, clean(value), value.strip())
    parts = (*value.split("\n"), *value.splitlines())
    lines = [each for part in parts for each in (part.strip(), clean(part).strip())]
    escaped = json.dumps(value)[1:-1]
    encoded = [
        escaped,
        escaped.translate(_ESCAPED_BY_GO),
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        *(_percent_encoded(value, left) for left in _LEFT_ALONE),
    ]
    encoded.append(_percent_encoded(value, _UNRESERVED).replace("%20", "+"))  # as HTML forms do
    yield from (form for form in (*whole, *lines, *encoded) if len(form) >= _SHORTEST)


def _percent_encoded(value: str, left_alone: str) -> str:
    kept = frozenset(left_alone.encode())
    return "".join(chr(byte) if byte in kept else f"%{byte:02X}" for byte in value.encode())
