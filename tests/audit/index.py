"""Whether the index still offers what is pinned: a release may be withdrawn (PEP 592)."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_UNREACHABLE: Final = ("Retrying (Retry(", "Connection", "Temporary failure", "HTTP error 5")
"""What pip says when nobody answers it."""


class NotChecked(Exception):
    """There is nobody to ask; says why."""


def withdrawn(locks: Iterable[Path]) -> list[str]:
    """The pinned releases that are withdrawn, or are there no more as they were when pinned.

    pip is asked what it would install, as it is set up here.

    Raises:
        NotChecked: the index does not answer.
    """
    given = [word for lock in locks for word in ("-r", str(lock))]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed"),
            *("--no-deps", "--only-binary", ":all:", "--require-hashes", "--quiet"),
            *("--disable-pip-version-check", "--no-input", "--report", "-"),
            *given,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return withdrawn_of(json.loads(done.stdout))
    if any(sign in done.stderr for sign in _UNREACHABLE):
        raise NotChecked("the package index does not answer")
    return [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]


def withdrawn_of(report: dict[str, object]) -> list[str]:
    """Those that a report of pip names so (`is_yanked`)."""
    found = []
    installed = report["install"]
    assert isinstance(installed, list)
    for each in installed:
        if each.get("is_yanked"):
            about = each["metadata"]
            found.append(f"{about['name']} {about['version']} is withdrawn by its authors")
    return found
