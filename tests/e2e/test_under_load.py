"""Proof 1: deploys and rollbacks in a row under load lose nothing and mix no versions."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.load.load import Load

if TYPE_CHECKING:
    from tests.e2e.house import House, LabProject
    from tests.figures import FiguresRecorder
    from tests.load.outcome import Answered, Stream
    from tests.load.report import Report

DEPLOYS = {"process": 30, "docker": 12}
"""Fewer where a deploy takes longer: the load lasts about as long."""

ROLLBACKS = {"process": 10, "docker": 5}


def two_services(lab: LabProject) -> None:
    lab.write(web={}, backoffice={"kind": "api"})
    lab.route({"on": "web", "path": "/api/*", "to": "backoffice", "stripPrefix": "/api"})


@pytest.mark.engines("process", "docker")
@pytest.mark.timeout(400)
async def test_nothing_is_lost(running: House, lab: LabProject, figures: FiguresRecorder) -> None:
    deploys, rollbacks = DEPLOYS[running.engine], ROLLBACKS[running.engine]
    two_services(lab)
    await running.deployed(lab)
    switched_at: list[tuple[float, str]] = []
    async with Load(await running.target()) as load:
        await load.has_sent(200)
        for _ in range(deploys):
            version = lab.bump()
            run_id = await running.submit(lab)
            await running.until(run_id, "RoutesSwitched")
            switched_at.append((time.monotonic(), version))
            result = await running.end(run_id)
            assert result["run"]["status"] == "succeeded", result["failureMessage"]
            assert result["run"]["cutRequests"] == 0
        for step in range(1, rollbacks + 1):
            run_id = await running.submit(lab, "rollback")
            await running.until(run_id, "RoutesSwitched")
            switched_at.append((time.monotonic(), f"v{lab.version - step}"))
            assert (await running.end(run_id))["run"]["status"] == "succeeded"
        await load.has_sent(load.report().sent + 200)
    report = load.report()
    figures("deploys under load", deploys, "deploys")
    figures("rollbacks under load", rollbacks, "rollbacks")
    figures("requests sent meanwhile", report.sent, "requests")
    figures("requests lost", len(report.lost), "requests", 0)
    figures("streams broken off", report.streams_cut, "streams", 0)
    figures("latency, p99", report.latency_s(0.99) * 1000, "ms")
    assert [str(loss) for loss in report.lost] == []
    assert report.cut_off == ()
    assert lab.access_log.not_exactly_once(report.ids) == {}
    mixed = requests_to_the_wrong_version(report, switched_at)
    figures("requests to an old version after its switch", mixed, "requests", 0)
    assert mixed == 0


def requests_to_the_wrong_version(report: Report, switched_at: list[tuple[float, str]]) -> int:
    """Counts what started between two switches, and was answered by another version."""
    ends = [at for at, _ in switched_at[1:]] + [float("inf")]
    replies: list[Answered | Stream] = [*report.answered, *report.streams]
    wrong = 0
    for (begin, version), end in zip(switched_at, ends, strict=True):
        # A request near the end may already be answered by the next version: its own switch is
        # acknowledged a moment before the test hears of it.
        following = next((v for at, v in switched_at if at == end), version)
        wrong += sum(
            reply.version not in (version, following)
            for reply in replies
            if begin < reply.start.monotonic < end
        )
    return wrong
