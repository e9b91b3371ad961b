"""What a lock file pins."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]
LOCKS: Final = ("requirements.lock", "requirements-proof.lock")
ALL_LOCKS: Final = (*LOCKS, "requirements-audit.lock")

_ENTRY: Final = re.compile(r"^(?=[A-Za-z0-9])", re.MULTILINE)
_PIN: Final = re.compile(r"([a-z0-9-]+)==([^\s;]+)[^\n]*\\\n    --hash=sha256:[0-9a-f]{64}")


def pins(lock: str) -> dict[str, str]:
    """The version of each package of a lock file's text.

    Raises:
        ValueError: an entry has no version of its own, or no hash.
    """
    return dict(_entries(lock))


def _entries(lock: str) -> Iterator[tuple[str, str]]:
    for entry in _ENTRY.split(lock):
        if not entry or entry.startswith("#"):
            continue
        found = _PIN.match(entry)
        if found is None:
            raise ValueError(f"not pinned with a hash: {entry.splitlines()[0]}")
        yield found[1], found[2]
