"""The locks are what `pyproject.toml` asks for, and say nothing of where packages come from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LOCKS = {"requirements.lock": ("dev",), "requirements-proof.lock": ("dev", "proof")}
"""The lock files, and the extras that each is made for."""

of_each_lock = pytest.mark.parametrize("name", LOCKS)


def lock(name: str) -> str:
    return (ROOT / name).read_text()


def asked_for(extras: tuple[str, ...]) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    requirements = [*project["dependencies"], *(each for name in extras for each in optional[name])]
    return {re.split(r"[^\w.-]", requirement)[0] for requirement in requirements}


def locked_for_us(name: str) -> set[str]:
    """The packages that a lock says the project itself asks for."""
    entries = re.split(r"^(?=[a-z])", lock(name), flags=re.MULTILINE)
    ours = [entry for entry in entries if "compartment-tui (pyproject.toml)" in entry]
    return {entry.partition("==")[0] for entry in ours}


@of_each_lock
def test_the_lock_fits_the_project_file(name: str) -> None:
    assert locked_for_us(name) == asked_for(LOCKS[name]), "run .ci/lock"


@of_each_lock
def test_every_package_is_pinned_with_a_hash(name: str) -> None:
    for entry in re.split(r"^(?=[^\s#])", lock(name), flags=re.MULTILINE):
        assert re.match(r"[a-z0-9-]+==\S+ .*\\\n    --hash=sha256:", entry) or not entry, entry


@of_each_lock
def test_the_lock_names_no_index_and_no_path(name: str) -> None:
    assert not re.search(r"://|@ |^\s*-(?!-hash)|\.whl|\.tar", lock(name), re.MULTILINE)
