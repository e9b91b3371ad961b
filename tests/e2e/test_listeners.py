"""What the two listeners answer: `web` in public, `api` only inside, nothing for strangers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.clients import get
from tests.load.plan import Target

if TYPE_CHECKING:
    from tests.e2e.house import House, LabProject


async def listeners(running: House, host: str) -> tuple[Target, Target]:
    about = await running.client.agent()
    found = []
    for name in ("publicAddress", "internalAddress"):
        address, _, port = about[name].rpartition(":")
        found.append(Target(address, int(port), host))
    return found[0], found[1]


@pytest.mark.timeout(120)
async def test_who_answers_where(running: House, lab: LabProject) -> None:
    lab.write(web={}, backoffice={"kind": "api"})
    lab.route({"on": "web", "path": "/api/*", "to": "backoffice", "stripPrefix": "/api"})
    await running.deployed(lab)

    async def statuses(host: str, path: str = "/version") -> tuple[int, int]:
        public, internal = await listeners(running, host)
        return (await get(public, path)).status, (await get(internal, path)).status

    assert await statuses("lab.localhost") == (200, 200)
    assert await statuses("lab.localhost:1234") == (200, 200)
    assert await statuses("LAB.localhost") == (200, 200)
    assert await statuses("backoffice-lab.localhost") == (404, 200)
    assert await statuses("lab.localhost", "/api/version") == (200, 200)
    assert await statuses("stranger.localhost") == (404, 404)
    assert await statuses("lab.localhost", "//evil/version") == (404, 404)

    await running.client.down({"project": lab.name, "services": ["backoffice"]})
    public, _ = await listeners(running, "lab.localhost")
    reply = await get(public, "/api/version")
    assert (reply.status, reply.json) == (503, {"error": "unavailable"})
    assert reply.headers["retry-after"] == "1"
    assert await statuses("backoffice-lab.localhost") == (404, 503)
    assert await statuses("lab.localhost") == (200, 200)


@pytest.mark.timeout(120)
async def test_a_service_deployed_alone_is_followed_at_once(
    running: House, lab: LabProject
) -> None:
    lab.write(web={}, backoffice={"kind": "api"})
    lab.route({"on": "web", "path": "/api/*", "to": "backoffice", "stripPrefix": "/api"})
    await running.deployed(lab)
    before = await running.active(lab)
    lab.bump()
    # A rule of `web` waits for a deployment of `web`.
    lab.route({"on": "web", "path": "/other/*", "to": "backoffice", "stripPrefix": "/other"})
    run_id = await running.submit(lab, services=["backoffice"])
    warned = [e["message"] for e in await running.events(run_id) if e["type"] == "WarningGiven"]
    assert warned == ["changed route rules of web wait for a deployment of web"]
    after = await running.active(lab)
    assert after["web"][0]["id"] == before["web"][0]["id"]
    assert after["backoffice"][0]["id"] != before["backoffice"][0]["id"]
    target = await running.target()
    assert (await get(target, "/api/version")).version == "v2"
    assert (await get(target, "/other/version")).version == "v1"
    await running.deployed(lab)
    assert (await get(target, "/other/version")).version == "v2"


@pytest.mark.timeout(120)
async def test_a_worker_is_deployed_without_a_route(running: House, lab: LabProject) -> None:
    text = '{"name": "lab", "services": {"web": {"path": "app", "run": {"command":'
    text += ' "exec python3 server.py"}}, "cleaner": {"kind": "worker", "path": "app",'
    text += ' "run": {"command": "echo swept; exec sleep 1000"}}}}'
    (lab.root / "compartment.yml").write_text(text)
    await running.deployed(lab)
    status = await running.status(lab)
    assert status["cleaner"]["routeUrl"] is None
    assert status["cleaner"]["health"] == "healthy"
    assert status["web"]["routeUrl"].startswith("http://lab.localhost:")
    lines = [line async for line in running.client.logs({"project": "lab", "service": "cleaner"})]
    assert "swept" in [line["message"] for line in lines if line["stream"] == "stdout"]
    await running.deployed(lab, "redeploy", services=["cleaner"])
    assert len(running.instance_names()) == 2
