"""Whether the journal of a home is what its agents have written, found out without an agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.journal.salvage import damage_of, known_to
from core.promotion.traces import misses, traces

if TYPE_CHECKING:
    from core.files import Home


def damage(home: Home, limit_s: float | None = None) -> str | None:
    """What is wrong with the journal of a home; None where nothing was found in that time.

    Raises OSError, or sqlite3.Error, where it cannot be read for another reason.
    """
    there = traces(home)
    if not home.journal.exists():
        return "it is gone" if misses(home, there) else None
    return damage_of(home.journal, limit_s) or misses(home, there - known_to(home.journal))
