from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.errors import ConfigError
from core.journal import Journal
from core.logs.writer import CompartmentLog
from core.model import Build, Service
from core.promotion.ledger import Ledger
from core.promotion.variables import differing, resolve, visible_to_build
from core.records import Target, Variable, VariableRecord, VariableRemoved
from tests.promotion.records import TARGET

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

OTHER = Target("shop", "staging")


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    journal = Journal(tmp_path / "journal.db")
    await journal.open()
    yield Ledger(journal, CompartmentLog(tmp_path / "logs"))
    await journal.close()


def record(
    name: str, value: str, service: str | None = None, target: Target = TARGET
) -> VariableRecord:
    return VariableRecord(target, service, name, Variable(value), "2026-01-01T00:00:00.000000Z")


async def test_what_is_set_for_a_service_is_preferred(ledger: Ledger) -> None:
    await ledger.write(
        record("A", "own", "web"),
        record("A", "all"),
        record("B", "all"),
        record("C", "api's", "api"),
    )
    await ledger.write(record("A", "elsewhere", target=OTHER))
    assert resolve(ledger, TARGET, "web") == {"A": Variable("own"), "B": Variable("all")}
    assert resolve(ledger, OTHER, "web") == {"A": Variable("elsewhere")}
    await ledger.write(VariableRemoved(TARGET, "web", "A"))
    assert resolve(ledger, TARGET, "web") == {"A": Variable("all"), "B": Variable("all")}


async def test_variables_are_still_there_after_a_restart(ledger: Ledger) -> None:
    await ledger.write(record("A", "own", "web"), record("B", "gone"))
    await ledger.write(VariableRemoved(TARGET, None, "B"))
    again = Ledger(ledger.journal, ledger.log)
    await again.load()
    assert again.variables == ledger.variables
    assert resolve(again, TARGET, "web") == {"A": Variable("own")}


async def test_a_build_sees_what_it_lists_if_that_is_set_and_plain(ledger: Ledger) -> None:
    hidden = VariableRecord(TARGET, "web", "B", Variable("secret", is_sensitive=True), "2026")
    await ledger.write(record("A", "all"), record("B", "all"), hidden)

    def seen(name: str, *listed: str) -> dict[str, str]:
        return visible_to_build(ledger, TARGET, Service(name, ".", build=Build(env=listed)))

    assert seen("web") == {}
    assert seen("web", "A") == {"A": "all"}
    assert seen("api", "A", "B") == {"A": "all", "B": "all"}
    with pytest.raises(ConfigError, match=r"service web: build\.env lists C, D, not set for shop/"):
        seen("web", "A", "C", "D")
    with pytest.raises(ConfigError, match=r"service web: build\.env lists B, which is sensitive"):
        seen("web", "A", "B")


def test_what_differs_is_added_removed_or_has_another_value() -> None:
    before = {"A": Variable("1"), "B": Variable("2"), "C": Variable("3"), "S": Variable("4")}
    now = {**before, "B": Variable("5"), "D": Variable(""), "S": Variable("4", is_sensitive=True)}
    del now["C"]
    assert differing(before, now) == ["B", "C", "D", "S"]
