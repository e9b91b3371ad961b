"""Which lines a pane shows. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from tui.logs.levels import Level
from tui.logs.pattern import Pattern
from tui.logs.structured import as_it_is

if TYPE_CHECKING:
    from tui.logs.record import Record
    from tui.logs.structured import Reading


@dataclass(frozen=True, slots=True)
class Filter:
    """Text, least level and service; a line is shown when all three want it."""

    typed: str = ""
    """`text`, `/expression/`, or either with `!` before it for lines without it."""
    level: Level = Level.DEBUG
    only: str | None = None
    pattern: Pattern | None = None
    is_inverse: bool = False

    @classmethod
    def read(cls, typed: str, level: Level = Level.DEBUG, only: str | None = None) -> Self:
        """The filter that a person typed.

        Raises:
            PatternError: The expression is not one.
        """
        is_inverse = typed.startswith("!")
        pattern = Pattern.read(typed[1:] if is_inverse else typed)
        return cls(typed if pattern else "", level, only, pattern, is_inverse)

    @property
    def is_active(self) -> bool:
        """Whether it can hide anything."""
        return self.pattern is not None or self.level is not Level.DEBUG or self.only is not None

    def wants(self, record: Record, reading: Reading = as_it_is) -> bool:
        """Whether the line is shown; its text is looked through as it reads there."""
        if self.only is not None and record.service != self.only:
            return False
        level = Level.INFO if record.level is None else record.level
        if level < self.level:
            return False
        if self.pattern is None:
            return True
        return self.pattern.matches(reading(record).shown) is not self.is_inverse

    def __str__(self) -> str:
        """What hides lines, for people."""
        parts = [f"filter {self.typed}"] if self.typed else []
        if self.level is not Level.DEBUG:
            parts.append(f"level >= {self.level.name.lower()}")
        if self.only is not None:
            parts.append(f"only {self.only}")
        return ", ".join(parts)
