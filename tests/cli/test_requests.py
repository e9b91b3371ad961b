"""What commands ask the agent for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.cli import runs
from core.cli.exits import Exit

if TYPE_CHECKING:
    import pytest

    from tests.cli.conftest import Cli


def test_a_promote_names_the_engine_that_is_meant(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []

    def carry_out(body: dict[str, Any], *_: object) -> Exit:
        asked.append(body)
        return Exit.DONE

    monkeypatch.setattr(runs, "_carry_out", carry_out)
    promote = ("promote", "--project", "shop", "--from", "staging", "--to", "production")
    assert cli(*promote).code == cli(*promote, "--engine", "docker").code == 0
    assert [body["engine"] for body in asked] == ["auto", "docker"]
