"""The gateway's ports, as far as they are known without an agent."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from core.gateway.table import Ports, chosen_ports

if TYPE_CHECKING:
    from core.config.settings import Settings
    from core.files import Home


def known_ports(home: Home, settings: Settings) -> Ports:
    """The ports that an agent would use which is started now.

    Raises:
        Conflict: they would be the same one twice.
    """
    try:
        kept = _kept(home)
    except (sqlite3.Error, ValueError):
        kept = None
    return chosen_ports(settings, kept)


def _kept(home: Home) -> Ports | None:
    if not home.journal.exists():
        return None
    with closing(read_only(home)) as journal:
        row = journal.execute("SELECT value FROM settings WHERE name = 'ports'").fetchone()
    if row is None:
        return None
    return Ports.read(row[0])


def read_only(home: Home) -> sqlite3.Connection:
    """The journal, for a look that cannot disturb the agent that holds it."""
    return sqlite3.connect(f"{home.journal.as_uri()}?mode=ro", uri=True)
