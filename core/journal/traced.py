"""What a journal says of deployments that have left a trace elsewhere."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Set

GIVEN_UP = "given up"
"""The setting that keeps the ids of deployments of which nothing is known, for good."""

_KNOWN = """
SELECT id, json_extract(body, '$.activations'),
    is_active = 1 OR status NOT IN ('queued', 'running')
        OR json_extract(body, '$.stage') = 'switching_route'
FROM deployments WHERE id IN (SELECT value FROM json_each(?))
"""
_GIVEN_UP = "SELECT value FROM settings WHERE name = ?"


@dataclass(frozen=True, slots=True)
class Traced:
    """One deployment, as the journal has it."""

    activations: int | None
    """How many times it was started; None where nobody is to ask."""
    may_serve: bool
    """Whether requests may be led to it: it is in its switch, or past it."""

    def allows(self, number: int, *, is_served: bool) -> bool:
        """Whether there may be an activation of that number, and requests may go to it."""
        if self.activations is None:
            return True
        return number <= self.activations and (self.may_serve or not is_served)


def traced(connection: sqlite3.Connection, ids: Set[str]) -> dict[str, Traced]:
    """Those of these ids that a journal knows, or has given up. Raises sqlite3.Error."""
    rows = connection.execute(_KNOWN, (json.dumps(sorted(ids)),))
    found = {id_: Traced(count or 0, bool(may_serve)) for id_, count, may_serve in rows}
    for (value,) in connection.execute(_GIVEN_UP, (GIVEN_UP,)):
        found |= {id_: Traced(None, may_serve=True) for id_ in value.split()}
    return found
