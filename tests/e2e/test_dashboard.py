"""The dashboard as a person uses it: keys in a real terminal, a real agent, real traffic."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.load.load import Load
from tests.tui.pty import Terminal, terminal

if TYPE_CHECKING:
    from tests.e2e.house import House, LabProject
    from tests.figures import FiguresRecorder


def two_services(lab: LabProject) -> None:
    lab.write(web={}, backoffice={"kind": "api"})
    lab.route({"on": "web", "path": "/api/*", "to": "backoffice", "stripPrefix": "/api"})


async def pressed(seen: Terminal, dialog: str, key: str) -> None:
    """Answers a dialog; at first it takes no key, because a person may still be typing."""
    await seen.until(dialog)
    async with asyncio.timeout(60):
        while dialog in seen.text:
            seen.press(key)
            with suppress(AssertionError):
                await seen.until(lambda found: dialog not in found.text, within_s=0.4)


async def run_ids(running: House, lab: LabProject) -> list[str]:
    """The runs so far, newest first."""
    found = await running.client.runs({"project": lab.name})
    return [each["id"] for each in found["runs"]]


async def succeeded(running: House, lab: LabProject, before: list[str]) -> str:
    """Waits for the next run, and for its end; returns its id."""
    async with asyncio.timeout(60):
        while (ids := await run_ids(running, lab)) == before:
            await asyncio.sleep(0.02)
    result = await running.end(ids[0])
    assert result["run"]["status"] == "succeeded", result["failureMessage"]
    assert result["run"]["cutRequests"] == 0
    return ids[0]


def has_ended(run_id: str, seen: Terminal) -> bool:
    """Whether the history has the run, and the why-line its end."""
    return run_id[:8] in seen.text and "succeeded in" in seen.text


@pytest.mark.timeout(120)
async def test_runs_by_keys_lose_nothing(
    running: House, lab: LabProject, figures: FiguresRecorder
) -> None:
    """Deploy, redeploy and roll back, each begun by its key."""
    two_services(lab)
    await running.deployed(lab)
    async with (
        Load(await running.target()) as load,
        terminal(lab.root, columns=200, rows=50) as seen,
    ):
        await load.has_sent(100)
        await seen.until("healthy")
        lab.bump()
        for key, dialog, answer in (
            ("D", "Deploy 2 services to production", "\r"),
            ("r", "Redeploy web?", "y"),
            ("b", "Roll web back?", "y"),
            ("B", "Roll back 2 services in production", "production\r"),
        ):
            before = await run_ids(running, lab)
            seen.press(key)
            await pressed(seen, dialog, answer)
            run_id = await succeeded(running, lab, before)
            await seen.until(partial(has_ended, run_id))
        seen.press("q")
        assert await seen.end() == 0
        await load.has_sent(load.report().sent + 100)
    report = load.report()
    figures("requests sent while keys were pressed", report.sent, "requests")
    figures("requests lost", len(report.lost), "requests", 0)
    assert [str(loss) for loss in report.lost] == []
    assert lab.access_log.not_exactly_once(report.ids) == {}


@pytest.mark.timeout(120)
async def test_a_cancelled_run_changes_nothing(running: House, lab: LabProject) -> None:
    await running.deployed(lab)
    before = await running.active(lab)
    lab.write(web={"lab": {"never_ready": 1}})
    async with terminal(lab.root) as seen:
        await seen.until("web")
        seen.press("D")
        await pressed(seen, "Deploy 1 service to production", "enter")
        await seen.until("503")
        seen.press("x")
        await pressed(seen, "Cancel deploy", "y")
        await seen.until("cancelled")
    after = await running.active(lab)
    assert [each["id"] for each in after["web"]] == [each["id"] for each in before["web"]]


@pytest.mark.timeout(180)
async def test_everybody_sees_the_same_run(running: House, lab: LabProject) -> None:
    """Two dashboards and a headless command; the end of one disturbs nobody."""
    await running.deployed(lab)
    lab.write(web={"lab": {"boot_delay_ms": 2500}})
    async with AsyncExitStack() as opened:
        one = await opened.enter_async_context(terminal(lab.root))
        other = await opened.enter_async_context(terminal(lab.root, columns=80, rows=24))
        for seen in (one, other):
            await seen.until("healthy")
        headless = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "core.cli.main", "deploy", "--output", "jsonl",
            cwd=lab.root, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        for seen in (one, other):
            await seen.until("web: waits for readiness")
        one.signal(signal.SIGKILL)
        await asyncio.to_thread(one.process.wait, 5)
        told, _ = await headless.communicate()
        await other.until("deploy succeeded")
    assert headless.returncode == 0
    run_id = (await running.status(lab))["web"]["deploymentRunId"]
    assert run_id.encode() in told
    events = await running.events(run_id)
    assert [each["seq"] for each in events] == sorted({each["seq"] for each in events})


HOSTILE = r"""
import sys
out = sys.stdout.buffer
out.write(b"BEGIN\n")
out.write(b"title \x1b]0;owned\x07 clip \x1b]52;c;b3duZWQ=\x07 clear \x1b[2J\x1b[H csi\n")
out.write("c1 \x9b2J \x9d0;owned\x9c dcs \x1bPq#0\x1b\\ end\n".encode("latin-1"))
out.write("c1 as utf-8 \u009b2J\u009d0;owned\u009c end\n".encode())
out.write(b"markup [/ x [/] y [/red] [ERROR] pool [0] [@click=app.quit]\n")
out.write(b"x" * 90_000 + b"\n")
out.write(b"invalid \xff\xfe\xc3( utf-8\n")
out.write("wide 漢字かな family 👨‍👩‍👧 combining e\u0301\u0308 rtl \u202eabc\n".encode())
out.write(b"bell \x07 backspace \x08\x08 tab\there \x0e\x0f null \x00 del \x7f\n")
out.write(b"END OF HOSTILE LINES\n")
out.flush()
"""


@pytest.mark.timeout(120)
async def test_hostile_lines_are_shown_harmlessly(running: House, lab: LabProject) -> None:
    (lab.root / "app" / "hostile.py").write_text(HOSTILE)
    lab.write(web={"run": {"command": "python3 hostile.py; exec python3 server.py"}})
    await running.deployed(lab)
    async with terminal(lab.root) as seen:
        await seen.until("END OF HOSTILE LINES")
        seen.press("3", "z")
        for shown in (
            "markup [/ x [/] y [/red] [ERROR] pool [0] [@click=app.quit]",
            "漢",
            "END OF HOSTILE LINES",
        ):
            await seen.until(shown)
        seen.press("g", "G", "w", "w")
        seen.resize(80, 24)
        await seen.until(lambda found: found.text.count("\n") < 24 and "END OF" in found.text)
        seen.press("q")
        assert await seen.end() == 0
        raw = bytes(seen.raw)
    assert b"owned" not in raw.replace(b"clip", b"").split(b"BEGIN")[0]
    for sequence in (b"\x1b]52", b"\x1b]0;owned", b"\x9b", b"\x1bP"):
        assert sequence not in raw.decode(errors="replace").encode("latin-1", "ignore")
