"""The same lab on each engine: what the other end-to-end tests stand on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.engines.docker.labels import HOME, home_id
from core.errors import Conflict
from tests.engine.client import connected
from tests.load.load import Load

if TYPE_CHECKING:
    from tests.e2e.house import House, LabProject
    from tests.figures import FiguresRecorder


@pytest.mark.timeout(120)
@pytest.mark.engines("process", "docker")
async def test_a_deploy_under_load_is_seen_in_the_access_log(
    running: House, lab: LabProject, counts: FiguresRecorder
) -> None:
    await running.deployed(lab)
    lab.bump()
    async with Load(await running.target()) as load:
        await load.has_sent(100)
        result = await running.deployed(lab)
        await load.has_sent(load.report().sent + 100)
    report = load.report()
    counts("requests lost", len(report.lost), "requests", 0)
    assert [str(loss) for loss in report.lost] == []
    assert lab.access_log.not_exactly_once(report.ids) == {}
    (sigterm,) = lab.access_log.named("sigterm", "v1")
    assert sigterm.details["open_requests"] == 0
    (listening,) = lab.access_log.named("listening", "v2")
    assert listening.service == "web"
    (instance,) = running.instance_names()
    assert instance.startswith(result["deployments"][0]["id"])


@pytest.mark.timeout(120)
async def test_a_first_deploy_that_failed_decides_nothing(
    running: House, lab: LabProject, docker_socket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{docker_socket}")
    lab.write(web={"lab": {"exit_at_start": 3}})
    failed = await running.run(lab, engine="docker")
    assert failed["run"]["status"] == "failed"
    lab.write(web={})
    await running.deployed(lab, engine="process")
    with pytest.raises(Conflict, match="runs on the process engine"):
        await running.submit(lab, engine="docker")
    with connected(docker_socket) as client:
        ours = {"label": f"{HOME}={home_id(running.home)}"}
        assert client.networks(filters=ours) == []
        assert client.containers(all=True, filters=ours) == []
