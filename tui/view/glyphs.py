"""The signs that stand beside words, in two sets.

All of the Unicode ones have East Asian Width "Neutral", so that they take one cell everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of signs. The names say what they stand for."""

    healthy: str = "✓"
    working: str = "⋯"
    retrying: str = "↻"
    failed: str = "✗"
    rolled_back: str = "↺"
    queued: str = "∘"
    stopped: str = "⊘"
    unknown: str = "?"
    live: str = "»"
    cursor: str = "▸"
    stage_done: str = "▰"
    stage_now: str = "▸"
    stage_waits: str = "▮"
    stage_failed: str = "✗"
    stage_to_come: str = "▱"
    then: str = "⟶"
    spark: str = "⠀⣀⣠⣤⣴⣶⣾⣿"
    """From nothing to full."""
    bar_done: str = "▰"
    bar_to_come: str = "▱"
    cut: str = "⋯"
    """Stands for what does not fit."""
    mark: str = "✦"
    login: str = "⚷"
    """Who comes is asked for a login."""
    is_ascii: bool = False

    def said(self, text: str) -> str:
        """A sentence of the agent, which has a few signs that ASCII has not."""
        return text.translate(_PLAIN) if self.is_ascii else text


_PLAIN = str.maketrans({"→": "->", "—": "-", "…": "..."})


UNICODE = Glyphs()
ASCII = Glyphs(
    healthy="ok",
    working="~~",
    retrying="!!",
    failed="xx",
    rolled_back="<<",
    queued="..",
    stopped="--",
    unknown="??",
    live="*",
    cursor=">",
    stage_done="#",
    stage_now=">",
    stage_waits="=",
    stage_failed="x",
    stage_to_come=".",
    then=">",
    spark=" _.-=+*#",
    bar_done="=",
    bar_to_come=".",
    cut="~",
    mark="*",
    login="o-",
    is_ascii=True,
)
