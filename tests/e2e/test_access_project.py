"""A login that is asked for: deployed, switched, taken back, and kept by the agent that follows."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING

import pytest

from tests.e2e.clients import get
from tests.e2e.house import kill
from tests.load.plan import Target

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from tests.e2e.house import House, LabProject

PRODUCTION = {"project": "lab", "environment": "production"}
PASSWORD = "a password of the lab"
ANN = "Basic " + base64.b64encode(f"ann:{PASSWORD}".encode()).decode()
AUTHENTICATED = {"accessMode": "authenticated"}


async def status(target: Target, path: str, authorization: str | None = None) -> int:
    given = {"authorization": authorization} if authorization else {}
    async with asyncio.timeout(30):
        return (await get(target, path, **given)).status


async def inside(house: House, host: str) -> Target:
    """The internal listener."""
    address, _, port = (await house.client.agent())["internalAddress"].rpartition(":")
    return Target(address, int(port), host)


async def seen_during(run: Awaitable[object], target: Target) -> list[int]:
    """What somebody without a login is told, request after request, until a run has ended."""
    running, seen = asyncio.ensure_future(run), []
    while not running.done():
        seen.append(await status(target, "/up"))
    await running
    return [*seen, await status(target, "/up")]


@pytest.mark.timeout(180)
async def test_a_login_is_in_force_with_the_switch_and_everywhere(
    running: House, lab: LabProject
) -> None:
    lab.write(web={}, api={"kind": "api", **AUTHENTICATED})
    lab.route({"on": "web", "path": "/api/*", "to": "api", "stripPrefix": "/api"})
    plan = await running.client.plan(
        {**PRODUCTION, "trigger": "deploy", "root": str(lab.root), "engine": running.engine}
    )
    told = {each["serviceName"]: each for each in plan["services"]}
    assert (told["web"]["accessMode"], told["api"]["accessMode"]) == ("public", "authenticated")
    assert [each for each in told["api"]["warnings"] if "there is no user yet" in each]
    await running.deployed(lab)

    # Nobody before there is a user; then whoever has a login, at once.
    public = await running.target()
    assert await status(public, "/up") == 200
    assert await status(public, "/api/up", ANN) == 403
    await running.client.add_user("ann", {**PRODUCTION, "password": PASSWORD})
    for at, path in ((public, "/api/up"), (await inside(running, "api-lab.localhost"), "/up")):
        assert (await status(at, path), await status(at, path, ANN)) == (401, 200)

    # A change of the mode alone is deployed, and in force from the switch on: not before, and from
    # then on always.
    lab.write(web=AUTHENTICATED)
    seen = await seen_during(running.deployed(lab), public)
    assert (set(seen), seen) == ({200, 401}, sorted(seen))
    assert await status(public, "/up", ANN) == 200
    active = await running.active(lab)
    assert [each["accessMode"] for each in active["web"]] == ["authenticated"]

    # The next agent finds it as it was, and can change it.
    kill(await running.agent_pid())
    assert await status(public, "/up") == 401
    await running.client.attach()
    assert (await status(public, "/up"), await status(public, "/up", ANN)) == (401, 200)
    await running.client.add_user("bob", {**PRODUCTION, "password": PASSWORD})
    await running.client.remove_user("ann", PRODUCTION)
    assert await status(public, "/up", ANN) == 401
    await running.client.remove_user("bob", PRODUCTION)
    assert await status(public, "/up", ANN) == 403

    # What is gone back to is as it was: for everybody.
    seen = await seen_during(running.deployed(lab, "rollback", services=["web"]), public)
    assert (set(seen), seen) == ({403, 200}, sorted(seen, reverse=True))
    assert await status(public, "/api/up", ANN) == 403
