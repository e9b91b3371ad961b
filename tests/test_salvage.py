"""What is found of a journal that is damaged, and what of it can still be read."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from core.journal import Journal
from core.journal.salvage import damage_of, salvage
from core.records import Deployment, Variable, VariableRecord
from tests.promotion.records import TARGET, deployment
from tests.proof.journal_damages import DAMAGES

if TYPE_CHECKING:
    from pathlib import Path

COUNT = 300
"""So many that their rows are on many pages."""


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    journal = Journal(tmp_path / "journal.db")
    await journal.open()
    made = [deployment(id=f"dep_{number:012}") for number in range(COUNT)]
    await journal.commit([*made, VariableRecord(TARGET, None, "KEY", Variable("x"), "now")])
    await journal.close()
    return tmp_path / "journal.db"


def read_of(path: Path) -> set[str]:
    return {each.id for each in salvage(path).records if isinstance(each, Deployment)}


def test_a_sound_one_is_read_whole(path: Path) -> None:
    assert damage_of(path) is None
    assert damage_of(path, limit_s=60) is None
    found = salvage(path)
    assert (len(found.records), found.unreadable) == (COUNT + 1, 0)


def test_a_look_that_takes_too_long_has_found_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.journal.salvage._STEPS", 1)
    DAMAGES["a record in it is spoilt"](path)
    assert damage_of(path, limit_s=-1) is None


@pytest.mark.parametrize("name", sorted(DAMAGES.keys() - {"it is cut to nothing"}))
def test_each_damage_is_found(path: Path, name: str) -> None:
    with closing(sqlite3.connect(path)) as journal, journal:
        journal.execute("UPDATE deployments SET is_active = 1 WHERE id = 'dep_000000000007'")
    DAMAGES[name](path)
    assert damage_of(path) is not None
    if path.exists():
        salvage(path)  # whatever it finds, it ends


def test_what_lies_on_both_sides_of_a_bad_page_is_read(path: Path) -> None:
    content = bytearray(path.read_bytes())
    at = content.index(b'"dep_000000000150"') // 4096 * 4096
    content[at : at + 4096] = bytes(4096)
    path.write_bytes(content)
    found = read_of(path)
    assert {"dep_000000000000", f"dep_{COUNT - 1:012}"} <= found
    assert COUNT - 20 < len(found) < COUNT


def test_a_row_that_is_spoilt_is_counted(path: Path) -> None:
    with closing(sqlite3.connect(path)) as journal, journal:
        journal.execute("UPDATE deployments SET body = '{' WHERE id = 'dep_000000000007'")
    found = salvage(path)
    assert (len(found.records), found.unreadable) == (COUNT, 1)
    assert damage_of(path) == "a row of deployments cannot be read"
