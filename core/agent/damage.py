"""Whether the journal of a home is what its agents have written, found out without an agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.journal.salvage import damage_of, known_to
from core.promotion.traces import in_words, misses, traces

if TYPE_CHECKING:
    from core.files import Home


def damage(home: Home, limit_s: float | None = None) -> str | None:
    """What is wrong with the journal of a home; None where nothing was found in that time.

    Raises OSError, or sqlite3.Error, where it cannot be read for another reason.
    """
    if not home.journal.exists():
        return "it is gone" if misses(home, {}) else None
    if reason := damage_of(home.journal, limit_s):
        return reason
    missed = misses(home, known_to(home.journal, traces(home)))
    return in_words(missed) if missed else None
