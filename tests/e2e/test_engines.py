"""The same lab on each engine: what the other end-to-end tests stand on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.load.load import Load

if TYPE_CHECKING:
    from tests.e2e.house import House, LabProject
    from tests.figures import FiguresRecorder


@pytest.mark.timeout(60)
@pytest.mark.engines("process", "docker")
async def test_a_deploy_under_load_is_seen_in_the_access_log(
    running: House, lab: LabProject, figures: FiguresRecorder
) -> None:
    await running.deployed(lab)
    lab.bump()
    async with Load(await running.target()) as load:
        await load.has_sent(100)
        result = await running.deployed(lab)
        await load.has_sent(load.report().sent + 100)
    report = load.report()
    figures("requests lost", len(report.lost), "requests", 0)
    assert [str(loss) for loss in report.lost] == []
    assert lab.access_log.not_exactly_once(report.ids) == {}
    (sigterm,) = lab.access_log.named("sigterm", "v1")
    assert sigterm.details["open_requests"] == 0
    (listening,) = lab.access_log.named("listening", "v2")
    assert listening.service == "web"
    (instance,) = running.instance_names()
    assert instance.startswith(result["deployments"][0]["id"])
