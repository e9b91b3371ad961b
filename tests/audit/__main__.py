"""Audits the lock files; exit code 1 for a finding, never for want of a network."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.audit.advisories import check_service, known_against
from tests.audit.index import NotChecked, withdrawn
from tests.audit.pins import LOCKS, ROOT, pins

if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> int:
    """Says what each step found."""
    locks = [ROOT / name for name in LOCKS]
    pinned: dict[str, str] = {}
    for lock in locks:
        pinned |= pins(lock.read_text())
    _say(f"pinned with hashes: {len(pinned)} packages")

    def known() -> list[str]:
        check_service(pinned)
        return known_against(locks)

    found = _told("withdrawn releases", lambda: withdrawn(locks))
    return 1 if found + _told("advisories", known) else 0


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - what it is for


def _told(what: str, check: Callable[[], list[str]]) -> int:
    try:
        found = check()
    except NotChecked as reason:
        _say(f"{what}: NOT CHECKED: {reason}")
        return 0
    for each in found:
        _say(f"{what}: {each}")
    if not found:
        _say(f"{what}: none")
    return len(found)


sys.exit(main())
