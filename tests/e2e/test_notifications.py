"""A real agent tells of real runs, also when it dies on the way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.e2e.house import house, kill
from tests.notifications.receiver import hangs, receiver

if TYPE_CHECKING:
    from pathlib import Path

SLOW_S = 300


@pytest.mark.timeout(120)
async def test_nothing_is_lost_with_an_agent_and_no_run_waits(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config.toml"
    monkeypatch.setenv("COMPARTMENT_CONFIG", str(file))
    async with receiver(hangs) as found:
        file.write_text(
            f'[[notifications]]\non = ["run.failed", "run.finished"]\nurl = "{found.url}/hook"\n'
            f"timeout_seconds = {SLOW_S}\n"
        )
        async with house(home) as running:
            lab = running.lab(tmp_path)
            lab.write(web={})
            # Nobody is told yet, and that holds up no run.
            await running.deployed(lab)
            await found.until_asked(1)
            lab.write(web={"run": {"command": "exit 3"}})
            assert (await running.run(lab))["run"]["status"] == "failed"
            assert len(found.asked) == 1

            kill(await running.agent_pid())
            await running.client.attach()
            asked = await found.until_asked(3)

    assert asked[0].body == asked[1].body
    done, failed = (json.loads(each.body) for each in asked[1:])
    assert (done["event"], done["status"], done["trigger"]) == (
        *("run.finished", "succeeded"), "deploy",
    )  # fmt: skip
    assert (failed["event"], failed["status"]) == ("run.failed", "failed")
    assert failed["id"] > done["id"]
    assert failed["summary"].startswith("lab/production: deploy failed: ")
    assert failed["url"].startswith("http://lab.localhost:")
