"""The notification commands against a real agent, and what `doctor` says of it."""

from __future__ import annotations

import asyncio
import json
from argparse import Namespace
from typing import TYPE_CHECKING

from core.cli.doctor import doctor
from core.cli.notifications import list_notifications, try_notifications
from core.cli.output import Form, Output
from core.config.notifications import Notification
from tests.agent.inside import agent_inside
from tests.notifications.receiver import receiver, status

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

QUIET = Notification(on=["run.finished", "run.failed"], command=["true"], projects=["shop"])


async def carry_out(command: Callable[[Namespace, Output], int], form: Form = Form.TEXT) -> int:
    """Beside the agent, which is on this thread."""
    return await asyncio.to_thread(command, Namespace(rebuild=False), Output(form))


async def test_a_test_tells_everybody(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with receiver(status(204), status(404, "no_service")) as found:
        wanted = [QUIET, Notification(on=["run.failed"], url=f"{found.url}/T0")]
        async with agent_inside(home, notifications=wanted):
            assert await carry_out(try_notifications) == 0
            said = capsys.readouterr().out.splitlines()
            assert [line.split() for line in said] == [["true", "told"], [found.url, "told"]]

            assert await carry_out(try_notifications, Form.JSON) == 1
            told = json.loads(capsys.readouterr().out)

    failure = 'answers 404: "no_service"'
    assert told == {
        "notifications": [
            {"recipient": "true", "failure": None},
            {"recipient": found.url, "failure": failure},
        ],
        "failureMessage": f"{found.url}: {failure}",
    }
    assert found.asked[0].json["event"] == "test"


async def test_the_list_and_doctor_say_how_it_goes(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with agent_inside(home, notifications=[QUIET]) as (platform, _):
        assert await carry_out(list_notifications) == 0
        header, row = capsys.readouterr().out.splitlines()
        assert header.split() == ["TO", "ON", "OF", "TOLD", "STATE"]
        assert row.split() == ["true", "run.finished,", "run.failed", "shop/*", "0", "ok"]

        (recipient,) = platform.notifications.recipients
        recipient.retrying = "answers 503"
        await carry_out(list_notifications)
        assert "trying again: answers 503" in capsys.readouterr().out
        recipient.failure, recipient.failing_since = "answers 500", "2026-01-01T00:00:00.000000Z"
        await carry_out(list_notifications)
        assert "answers 500 (since " in capsys.readouterr().out
        await carry_out(doctor)
        assert "true: answers 500" in capsys.readouterr().out


async def test_without_any_it_says_where_they_are_set(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with agent_inside(home):
        for command in (list_notifications, try_notifications):
            assert await carry_out(command) == 0
            assert "no notifications are set in /" in capsys.readouterr().out


async def test_doctor_tells_of_addresses_that_others_can_read(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[[notifications]]\non = ["run.failed"]\nurl = "https://a.example/T0"\n')
    monkeypatch.setenv("COMPARTMENT_CONFIG", str(file))
    for mode, is_told in ((0o644, True), (0o600, False)):
        file.chmod(mode)
        await carry_out(doctor)
        assert ("others can read" in capsys.readouterr().out) is is_told
