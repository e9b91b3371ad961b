"""The lock is what `pyproject.toml` asks for, and says nothing of where packages come from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCK = (ROOT / "requirements.lock").read_text()


def asked_for() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    requirements = [*project["dependencies"], *(each for extra in extras for each in extra)]
    return {re.split(r"[^\w.-]", requirement)[0] for requirement in requirements}


def locked_for_us() -> set[str]:
    """The packages that the lock says the project itself asks for."""
    entries = re.split(r"^(?=[a-z])", LOCK, flags=re.MULTILINE)
    ours = [entry for entry in entries if "compartment-tui (pyproject.toml)" in entry]
    return {entry.partition("==")[0] for entry in ours}


def test_the_lock_fits_the_project_file() -> None:
    assert locked_for_us() == asked_for(), "run .ci/lock"


def test_every_package_is_pinned_with_a_hash() -> None:
    for entry in re.split(r"^(?=[^\s#])", LOCK, flags=re.MULTILINE):
        assert re.match(r"[a-z0-9-]+==\S+ .*\\\n    --hash=sha256:", entry) or not entry, entry


def test_the_lock_names_no_index_and_no_path() -> None:
    assert not re.search(r"://|@ |^\s*-(?!-hash)|\.whl|\.tar", LOCK, re.MULTILINE)
