"""Foreign text in words of ours."""

from __future__ import annotations


def escaped(text: str) -> str:
    """The text on one line, with nothing in it that a terminal obeys: of a tab two characters."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
