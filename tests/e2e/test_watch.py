"""What somebody sees who watches: a deploy, step by step, and a rollback of it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.clients import held

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.e2e.house import House, LabProject

Json = dict[str, Any]
LAB = {"project": "lab"}


class Board:
    """Folds the updates, and keeps each state of the one service that it has come through."""

    def __init__(self, updates: AsyncIterator[Json]) -> None:
        self._updates = updates
        self.now: Json = {"services": {}, "events": []}
        self.seen: list[Json] = []

    @property
    def web(self) -> Json:
        found: Json = self.now["services"].get("web", {})
        return found

    async def until(self, is_so: Callable[[Json], bool]) -> Json:
        """Follows until the service is as wanted; returns it."""
        async with asyncio.timeout(30):
            while not (self.web and is_so(self.web)):
                await self._next()
        return self.web

    async def until_finished(self, run_id: str) -> Json:
        """Follows until a run is told to be over; returns the run."""
        async with asyncio.timeout(30):
            while not (self.run["id"] == run_id and self.run["completedAt"]):
                await self._next()
        return self.run

    @property
    def run(self) -> Json:
        return self.now.get("run") or {"id": None}

    async def _next(self) -> None:
        update = await anext(self._updates)
        services = {**self.now["services"], **update.get("services", {})}
        events = self.now["events"] + update.get("events", [])
        self.now = {**self.now, **update, "services": services, "events": events}
        if "web" in update.get("services", {}):
            self.seen.append(self.web)


def waits_for(kind: str) -> Callable[[Json], bool]:
    return lambda web: bool(web["waiting"]) and web["waiting"]["kind"] == kind


async def first_update(running: House) -> Json:
    async with aclosing(running.client.watch(LAB)) as updates:
        return await anext(updates)


@pytest.mark.timeout(120)
async def test_a_deploy_and_a_rollback_are_watched(running: House, lab: LabProject) -> None:
    build = {"command": "echo half way; sleep 0.6"}
    lab.write(web={"lab": {"boot_delay_ms": 1000}, "drain": {"timeoutMs": 5000}, "build": build})
    async with aclosing(running.client.watch(LAB)) as updates:
        board = Board(updates)
        first_run = await running.submit(lab)
        web = await board.until(waits_for("build"))
        assert web["candidate"]["promotionStage"] == "building"
        web = await board.until(lambda web: (web["waiting"] or {}).get("detail") == "half way")
        assert web["waiting"]["kind"] == "build"
        web = await board.until(lambda web: bool(web["waiting"]) and web["waiting"]["tries"] >= 5)
        waiting, candidate = web["waiting"], web["candidate"]
        assert waiting["kind"] == "readiness"
        assert waiting["limitSeconds"] == 30
        assert waiting["recent"] == [None] * min(20, waiting["tries"])
        assert waiting["detail"] == (f"GET http://{candidate['address']}/up -> connection refused")
        assert candidate["promotionStage"] == "checking_readiness"
        assert candidate["stageSince"] <= waiting["since"]
        assert web["live"] is None
        await board.until_finished(first_run)
        assert board.web["live"]["id"] == candidate["id"]
        assert board.web["live"]["address"] == candidate["address"]
        assert board.web["live"]["stageSince"] is None
        assert board.web["candidate"] is board.web["waiting"] is board.web["previous"] is None

        lab.bump()
        async with held(await running.target()) as request:
            second_run = await running.submit(lab)
            web = await board.until(lambda web: bool((web["waiting"] or {}).get("requests")))
            await request.end()
        assert web["waiting"]["kind"] == "drain"
        assert web["waiting"]["limitSeconds"] == 5
        assert web["live"]["promotionStage"] == "draining_previous"
        await board.until_finished(second_run)
        assert board.run["usualSeconds"] > 1
        newer = board.web
        assert newer["previous"]["id"] == candidate["id"]
        assert newer["previous"]["rollbackAvailable"]

        (planned,) = (await running.client.plan({**LAB, "trigger": "rollback"}))["services"]
        assert planned["action"] == "rollback"
        assert planned["deploymentId"] == candidate["id"]
        assert planned["replaces"] == newer["live"]["id"]
        rollback = await running.submit(lab, "rollback")
        web = await board.until(waits_for("readiness"))
        assert web["candidate"]["id"] == candidate["id"]
        assert web["live"]["id"] == newer["live"]["id"]
        run = await board.until_finished(rollback)
        assert run["status"] == "succeeded"
        assert board.web["live"]["id"] == candidate["id"]
        assert board.web["previous"] is None

        fresh = await first_update(running)
        for key in ("environment", "services", "run", "queue", "seq", "events"):
            assert board.now[key] == fresh[key]
    is_live = [each["live"] is not None for each in board.seen]
    assert is_live == sorted(is_live)
    runs = (await running.client.runs({**LAB, "limit": 5}))["runs"]
    assert [each["id"] for each in runs] == [rollback, second_run, first_run]
    assert {tuple(each["services"]) for each in runs} == {("web",)}
    (environment,) = (await running.client.environments())["environments"]
    assert environment["services"] == {"active": 1, "unhealthy": 0}
    assert environment["lastRun"]["id"] == rollback


@pytest.mark.timeout(120)
async def test_a_restart_is_seen(running: House, lab: LabProject) -> None:
    lab.write(web={"lab": {"crash_after_ms": 700}})
    await running.deployed(lab)
    async with aclosing(running.client.watch(LAB)) as updates:
        board = Board(updates)
        await board.until(lambda web: web["live"]["restarts"] > 0)


@pytest.mark.timeout(120)
async def test_who_waits_for_a_run_ahead(running: House, lab: LabProject) -> None:
    lab.write(api={"lab": {"never_ready": 1}, "kind": "api"})
    ahead = await running.submit(lab, services=["api"])
    behind = await running.submit(lab, services=["web"])
    async with aclosing(running.client.watch(LAB)) as updates:
        board = Board(updates)
        web = await board.until(waits_for("turn"))
        assert web["waiting"]["detail"].startswith(f"deploy {ahead} is ahead")
        assert web["candidate"]["status"] == "queued"
        assert board.run["id"] == ahead
        assert [each["id"] for each in board.now["queue"]] == [behind]
        await board.until(lambda _: replies(board.now["services"]["api"])[-1:] == [503])
        waiting = board.now["services"]["api"]["waiting"]
        assert waiting["detail"].endswith("-> 503 Service Unavailable")
        await running.client.cancel(ahead)
        assert (await board.until_finished(behind))["status"] == "succeeded"
        assert board.web["waiting"] is None
        api = board.now["services"]["api"]
        assert api["candidate"] is api["waiting"] is None
        assert api["failed"]["failureMessage"].startswith("not switched: cancelled")


def replies(service: Json) -> list[int | None]:
    """The replies to its readiness tries so far."""
    return list(service["waiting"]["recent"]) if service["waiting"] else []
