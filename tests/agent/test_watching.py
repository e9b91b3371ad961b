from __future__ import annotations

import asyncio
import json
import time
from contextlib import aclosing
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import pytest

from core.engines.process.releases import Manifest
from core.errors import AgentUnavailable, Conflict, NotFound, UsageError
from core.events import Event, EventType
from core.gateway.table import Ports
from core.lines import stamp
from core.model import (
    EngineName,
    Health,
    Readiness,
    RouteRule,
    Service,
    Stage,
    Status,
    Transform,
    Trigger,
)
from core.promotion.candidate import stage_event
from core.promotion.ledger import deployment_event, run_event
from core.promotion.progress import WaitKind
from core.promotion.states import Move, move
from core.records import (
    Activation,
    ActivationState,
    CertificateRecord,
    DomainRecord,
    DomainRemoved,
    EnvironmentRecord,
    Run,
    Target,
    Tls,
    UserRecord,
)
from tests.agent.inside import agent_inside
from tests.promotion.records import TARGET, deployment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.platform import Platform
    from core.records import Deployment

Json = dict[str, Any]
HERE = {"project": "shop", "environment": "production"}
RULE = RouteRule("web", "/api/*", "api", ("GET",), Transform.STRIP_PREFIX, None)
DEPLOYMENT_KEYS = {
    *("id", "deploymentRunId", "serviceName", "kind", "status", "health", "promotionStage"),
    *("isActive", "label", "failureMessage", "createdAt", "completedAt", "environmentName"),
    *("healthReason", "promotedFrom", "accessMode"),
    *("routeUrl", "rollbackAvailable", "replicas", "startedAt", "artifactId", "stageSince"),
    *("address", "restarts", "readiness", "drain", "autoRollback"),
    *("watchedUntil", "returnedBecause"),
}
RUN_KEYS = {
    *("id", "project", "environment", "trigger", "status", "deploymentIds", "label", "createdAt"),
    *("completedAt", "failureMessage", "failureCode", "cutRequests", "usualSeconds", "notServing"),
    *("isHeld", "because"),
}


def day(number: int, second: int = 0) -> str:
    return f"2026-01-{number:02}T00:00:{second:02}.000000Z"


def run(number: int, *ids: str, **fields: Any) -> Run:
    given = {"trigger": Trigger.DEPLOY, "status": Status.RUNNING, "created_at": day(number)}
    return Run(f"drn_{number}", TARGET, deployment_ids=ids, **{**given, **fields})


def ended(number: int, *ids: str, seconds: int, **fields: Any) -> Run:
    completed = {"status": Status.SUCCEEDED, "completed_at": day(number, seconds)}
    return run(number, *ids, **{**completed, **fields})


def live(number: int, name: str = "web", **fields: Any) -> Deployment:
    """A deployment that a run of this number made live."""
    given = {
        "id": f"dep_{name}{number}",
        "run_id": f"drn_{number}",
        "service": Service(name, ".", readiness=Readiness("/up", 5000)),
        "created_at": day(number),
        "activated_at": day(number, 1),
        "status": Status.SUCCEEDED,
        "stage": Stage.ACTIVE,
        "health": Health.HEALTHY,
        "is_active": True,
        "rules": (RULE,),
    }
    return deployment(**{**given, **fields})


def queued(number: int, name: str = "web") -> Deployment:
    service = Service(name, ".")
    return deployment(
        id=f"dep_{name}{number}", run_id=f"drn_{number}", service=service, created_at=day(number)
    )


def instance(of: Deployment, state: ActivationState, port: int = 31_000) -> Activation:
    return Activation(of.id, 1, state, day(1), addresses=(("127.0.0.1", port),))


def put_artifact(platform: Platform, artifact_id: str) -> None:
    """Lays down what is found to be an artifact."""
    folder = platform.parts.home.releases
    (folder / artifact_id).mkdir()
    manifest = Manifest(artifact_id, "", None, "", day(1), 0)
    (folder / f"{artifact_id}.json").write_text(json.dumps(asdict(manifest)))
    assert platform.parts.engines.of(EngineName.PROCESS).has_artifact(artifact_id)


class Watcher:
    """Folds the updates of one stream, as a dashboard does."""

    def __init__(self, updates: AsyncIterator[Json]) -> None:
        self._updates = updates
        self.last: Json = {}
        self.board: Json = {"services": {}, "events": []}

    async def next(self, *keys: str) -> Json:
        """The next update that has one of these keys, or is the first; all others have theirs."""
        async with asyncio.timeout(60):
            async for update in self._updates:
                self._fold(update)
                if not keys or any(key in update for key in keys):
                    return update
        raise AssertionError("the stream has ended")

    def _fold(self, update: Json) -> None:
        self.last = update
        services = {**self.board["services"], **update.get("services", {})}
        kept = {name: each for name, each in services.items() if name not in update.get("gone", [])}
        events = self.board["events"] + update.get("events", [])
        self.board = {**self.board, **update, "services": kept, "events": events}


async def look(client: Any) -> Json:
    """What somebody sees who comes now."""
    async with aclosing(client.watch(HERE)) as updates:
        return await Watcher(updates).next()


async def test_one_that_was_never_deployed_is_watched_until_it_is(home: Path) -> None:
    async with agent_inside(home) as (platform, client), aclosing(client.watch(HERE)) as updates:
        watcher = Watcher(updates)
        first = await watcher.next()
        assert first["services"] == {}
        assert first["run"] is None
        assert first["queue"] == first["events"] == []
        assert first["environment"] == {
            **HERE,
            "engine": None,
            "root": None,
            "publicAddress": "127.0.0.1:0",
            "internalAddress": "127.0.0.1:0",
            "gatewayRunning": False,
            "agentVersion": (await client.agent())["version"],
            "users": [],
        }
        assert set(first["statistics"]) == {"at", "services"}
        new, going = queued(1), run(1, "dep_web1")
        record = EnvironmentRecord(TARGET, EngineName.PROCESS, "/shop")
        await platform.ledger.write(
            record, new, going, run_event(EventType.RUN_QUEUED, going, "deploy queued")
        )
        update = await watcher.next("run")
        assert update["environment"]["root"] == "/shop"
        assert update["run"]["id"] == "drn_1"
        assert set(update["run"]) == RUN_KEYS
        assert [event["type"] for event in update["events"]] == ["RunQueued"]
        assert update["seq"] == update["events"][-1]["seq"] == 1
        web = update["services"]["web"]
        assert web["live"] is web["failed"] is web["previous"] is web["waiting"] is None
        assert set(web["candidate"]) == DEPLOYMENT_KEYS


async def test_a_deployment_on_its_way(home: Path) -> None:
    async with agent_inside(home) as (platform, client):
        old, new, going = live(1), queued(2), run(2, "dep_web2")
        other = live(1, "api")
        instances = [instance(each, ActivationState.LIVE) for each in (old, other)]
        await platform.ledger.write(old, other, new, ended(1, old.id, other.id, seconds=4), going)
        await platform.ledger.write(*instances)
        begun = stage_event(move(new, Move.BEGIN), "drn_2")
        await platform.ledger.write(move(new, Move.BEGIN), begun)
        async with aclosing(client.watch(HERE)) as updates:
            watcher = Watcher(updates)
            first = await watcher.next()
            web = first["services"]["web"]
            assert web["live"]["address"] == "127.0.0.1:31000"
            http = {"type": "http", "path": "/up", "command": None, "timeoutMs": 5000}
            assert web["live"]["readiness"] == http
            assert web["live"]["drain"] == {"timeoutMs": 30_000, "streamsMs": 5000}
            assert web["live"]["stageSince"] is None
            assert web["routes"] == [
                {
                    "on": "web",
                    "path": "/api/*",
                    "to": "api",
                    "methods": ["GET"],
                    "transform": "stripPrefix",
                    "value": None,
                }
            ]
            assert web["candidate"]["promotionStage"] == "building"
            # As the journal has it: the agent may be another one than that which wrote it.
            assert web["candidate"]["stageSince"] == begun.at
            assert first["run"]["usualSeconds"] == 4
            with platform.parts.progress.waits(WaitKind.READINESS, new.id, limit_s=5) as waiting:
                started = move(platform.ledger.deployments[new.id], Move.START_CANDIDATE)
                reached = stage_event(started, "drn_2")
                candidate = instance(new, ActivationState.CANDIDATE, 31_001)
                await platform.ledger.write(started, candidate, reached)
                update = await watcher.next("services")
                assert set(update["services"]) == {"web"}
                assert "run" not in update
                candidate_told = update["services"]["web"]["candidate"]
                assert candidate_told["stageSince"] == reached.at
                assert candidate_told["address"] == "127.0.0.1:31001"
                assert update["services"]["web"]["waiting"]["kind"] == "readiness"
                # Nothing is journalled now, and it is told all the same.
                waiting.tries, waiting.detail = 7, "GET / -> 503"
                update = await watcher.next("services")
                assert update["services"]["web"]["waiting"]["tries"] == 7
                assert "events" not in update
            update = await watcher.next("services")
            assert update["services"]["web"]["waiting"] is None


async def test_domains_and_users(home: Path) -> None:
    """What leads to a service, and who may see it, is told when it changes; its URL as well."""
    record = CertificateRecord(day(1), "2126-01-01T00:00:00.000000Z", "Test CA", day(1))
    ports = Ports(8080, 8081, https=8443)
    async with agent_inside(home) as (platform, client), aclosing(client.watch(HERE)) as updates:
        platform.parts.router.gateway.ports = ports
        web = live(1)
        await platform.ledger.write(web, instance(web, ActivationState.LIVE))
        watcher = Watcher(updates)
        first = await watcher.next()
        assert (first["environment"]["users"], first["services"]["web"]["domains"]) == ([], [])
        await platform.ledger.write(UserRecord(TARGET, "ann", "{SHA}x"))
        assert (await watcher.next("environment"))["environment"]["users"] == ["ann"]
        domain = DomainRecord("shop.example.com", TARGET, "web", Tls.ACME, created_at=day(2))
        elsewhere = Target("shop", "staging")
        await platform.ledger.write(domain, replace(domain, host="other.com", target=elsewhere))
        told = (await watcher.next("services"))["services"]["web"]
        listed = (await client.domains(HERE))["domains"]
        assert told["domains"] == listed
        assert [each["state"] for each in listed] == ["pending"]
        assert told["live"]["routeUrl"] is None
        await platform.ledger.write(domain.changed(certificate=record))
        told = (await watcher.next("services"))["services"]["web"]
        assert [each["state"] for each in told["domains"]] == ["ok"]
        assert told["live"]["routeUrl"] == "https://shop.example.com:8443"
        await platform.ledger.write(DomainRemoved(domain.host))
        told = (await watcher.next("services"))["services"]["web"]
        assert (told["domains"], told["live"]["routeUrl"]) == ([], None)


async def test_the_end_of_a_run(home: Path) -> None:
    async with agent_inside(home) as (platform, client):
        old, new, going = live(1), move(queued(2), Move.BEGIN), run(2, "dep_web2")
        await platform.ledger.write(
            ended(1, old.id, seconds=4), old, instance(old, ActivationState.LIVE), new, going
        )
        async with aclosing(client.watch(HERE)) as updates:
            watcher = Watcher(updates)
            await watcher.next()
            failed = move(new, Move.FAIL, failure_message="build failed")
            told = deployment_event(EventType.DEPLOYMENT_FAILED, failed, "failed: build failed")
            await platform.ledger.write(failed, told)
            web = (await watcher.next("services"))["services"]["web"]
            assert web["candidate"] is None
            assert web["failed"]["failureMessage"] == "build failed"
            over = ended(2, new.id, seconds=9, status=Status.FAILED, failure_message="no")
            await platform.ledger.write(over, run_event(EventType.RUN_FINISHED, over, "failed"))
            platform.ledger.forget_past()
            update = await watcher.next("run")
            assert update["run"]["status"] == "failed"
            # It is not in the ledger any more.
            assert watcher.board["services"]["web"]["failed"]["id"] == new.id
            fresh = await look(client)
            for key in ("environment", "services", "run", "queue", "seq"):
                assert watcher.board[key] == fresh[key]
            assert watcher.board["events"] == fresh["events"]


async def test_runs_that_wait(home: Path) -> None:
    async with agent_inside(home) as (platform, client):
        waiting = [run(n, f"dep_web{n}", status=Status.QUEUED) for n in (2, 3)]
        new = [queued(n) for n in (1, 2, 3)]
        begun = move(new[0], Move.BEGIN)
        await platform.ledger.write(run(1, "dep_web1"), *waiting, *new, begun)
        with platform.parts.progress.waits(WaitKind.TURN, "dep_web2", "dep_web3"):
            found = await look(client)
        assert found["run"]["id"] == "drn_1"
        assert [each["id"] for each in found["queue"]] == ["drn_2", "drn_3"]
        # The one that is on its way is shown, not those that wait.
        assert found["services"]["web"]["candidate"]["id"] == "dep_web1"
        assert found["services"]["web"]["waiting"] is None
        with platform.parts.progress.waits(WaitKind.BUILD, "dep_web1"):
            found = await look(client)
        assert found["services"]["web"]["waiting"]["kind"] == "build"


async def test_what_a_rollback_would_start_again(home: Path) -> None:
    async with agent_inside(home) as (platform, client):
        first = live(1, is_active=False)
        better = live(2, is_active=False, artifact_id=f"art_{'0' * 20}")
        bad = live(3, is_active=False, stage=Stage.ROLLED_BACK)
        now = live(4)
        await platform.ledger.write(first, better, bad, now, instance(now, ActivationState.LIVE))
        platform.ledger.forget_past()
        # Nothing of it can be started: its artifact is not there.
        assert (await look(client))["services"]["web"]["previous"] is None
        async with aclosing(client.watch(HERE)) as updates:
            watcher = Watcher(updates)
            await watcher.next()
            put_artifact(platform, better.artifact_id)
            found = await watcher.next("services")
            assert found["services"]["web"]["previous"]["id"] == better.id
            assert found["services"]["web"]["previous"]["rollbackAvailable"]
            plan = {**HERE, "trigger": "rollback"}
            told = (await client.plan(plan))["services"]
            assert [(each["deploymentId"], each["replaces"]) for each in told] == [
                (better.id, now.id)
            ]


async def test_what_is_taken_down_stays_known(home: Path) -> None:
    async with agent_inside(home) as (platform, client):
        now = live(1)
        await platform.ledger.write(now, instance(now, ActivationState.LIVE))
        async with aclosing(client.watch(HERE)) as updates:
            watcher = Watcher(updates)
            await watcher.next()
            stopped = move(now, Move.STOP)
            gone = replace(instance(now, ActivationState.LIVE), state=ActivationState.GONE)
            event = deployment_event(EventType.SERVICE_STOPPED, stopped, "taken down")
            await platform.ledger.write(stopped, gone, event)
            platform.ledger.forget_past()
            update = await watcher.next("services")
            web = update["services"]["web"]
            shown = [web[key] for key in ("live", "candidate", "failed", "previous", "waiting")]
            assert shown == [None] * 5
            assert web["kind"] == "web"
            assert (await look(client))["services"] == {"web": web}


async def test_only_what_concerns_the_environment_is_told(home: Path) -> None:
    async with agent_inside(home) as (platform, client), aclosing(client.watch(HERE)) as updates:
        watcher = Watcher(updates)
        await watcher.next()
        await platform.ledger.write(
            Event(EventType.WARNING_GIVEN, stamp(), "of another", "shop", "staging"),
            Event(EventType.GATEWAY_RESTARTED, stamp(), "of all"),
            Event(EventType.WARNING_GIVEN, stamp(), "of this", "shop", "production"),
        )
        update = await watcher.next("events")
        assert [event["message"] for event in update["events"]] == ["of all", "of this"]
        assert update["seq"] == 3
        assert (await look(client))["events"] == update["events"]


async def test_the_first_update_has_the_newest_events_only(home: Path) -> None:
    async with agent_inside(home) as (platform, client):
        await platform.ledger.write(
            *(
                Event(EventType.WARNING_GIVEN, stamp(), str(n), "shop", "production")
                for n in range(300)
            )
        )
        events = (await look(client))["events"]
        assert [int(event["message"]) for event in events] == list(range(100, 300))


async def test_changes_are_told_together(home: Path) -> None:
    async with agent_inside(home) as (platform, client), aclosing(client.watch(HERE)) as updates:
        watcher = Watcher(updates)
        await watcher.next()

        async def warn() -> None:
            for n in range(100):
                event = Event(EventType.WARNING_GIVEN, stamp(), str(n), "shop", "production")
                await platform.ledger.write(event)

        began, seen, count = time.monotonic(), 0, 0
        async with asyncio.TaskGroup() as group:
            group.create_task(warn())
            while seen < 100:
                seen += len((await watcher.next("events"))["events"])
                count += 1
        assert count <= 20 * (time.monotonic() - began) + 1
        messages = [int(event["message"]) for event in watcher.board["events"]]
        assert messages == list(range(100))


async def test_one_that_went_away_is_not_told_any_more(home: Path) -> None:
    async with agent_inside(home) as (_, client):
        async with aclosing(client.watch(HERE)) as updates:
            await Watcher(updates).next()
            assert replying()
        async with asyncio.timeout(60):
            while replying():
                await asyncio.sleep(0.01)


def replying() -> list[asyncio.Task[Any]]:
    """The tasks of the server that are at a reply; the agent has others of its own."""
    names = {each: getattr(each.get_coro(), "__qualname__", "") for each in asyncio.all_tasks()}
    return [each for each, name in names.items() if name == "RequestResponseCycle.run_asgi"]


async def test_one_that_watches_does_not_hold_up_the_end(home: Path) -> None:
    async with agent_inside(home) as (_, client), aclosing(client.watch(HERE)) as updates:
        await Watcher(updates).next()
        began = time.monotonic()
        await client._transport.call("POST", "/v1/agent/stop")
        with pytest.raises(AgentUnavailable):
            async for _ in updates:
                pass
        assert time.monotonic() - began < 30  # it would be for ever


async def test_the_history_has_rollbacks_too(home: Path) -> None:
    async with agent_inside(home) as (platform, client):
        old, web, api = live(1, is_active=False), live(2), live(2, "api")
        made = [run(1, old.id), run(2, web.id, api.id)]
        back = [
            run(3, old.id, trigger=Trigger.ROLLBACK),
            run(4, api.id, trigger=Trigger.ROLLBACK),
            run(5),
        ]
        await platform.ledger.write(old, web, api, *made, *back)

        async def runs(**query: Any) -> list[tuple[str, list[str]]]:
            found = (await client.history({**HERE, **query}))["runs"]
            return [(one["id"], [each["id"] for each in one["deployments"]]) for one in found]

        assert await runs() == [
            ("drn_4", [api.id]),
            ("drn_3", [old.id]),
            ("drn_2", [web.id, api.id]),
            ("drn_1", [old.id]),
        ]
        # As many as deployments, and none that is older than these.
        assert await runs(limit=1) == [("drn_4", [api.id]), ("drn_2", [web.id, api.id])]
        assert await runs(service="api") == [("drn_4", [api.id]), ("drn_2", [api.id])]
        told = (await client.history(HERE))["runs"][1]
        assert set(told) == RUN_KEYS - {"usualSeconds"} | {"deployments"}
        assert told["deployments"] == [{"id": old.id, "serviceName": "web", "isActive": False}]


async def test_runs(home: Path) -> None:
    async with agent_inside(home) as (platform, client):
        assert await client.runs(HERE) == {**HERE, "runs": []}
        seconds = {1: 100, 2: 10, 3: 20, 4: 30, 5: 40, 6: 50}
        for number, took in seconds.items():
            dep = queued(number)
            completed = f"2026-01-{number:02}T00:{took // 60:02}:{took % 60:02}.000000Z"
            over = ended(number, dep.id, seconds=0, completed_at=completed)
            await platform.ledger.write(dep, over)
        # Neither tells how long a deploy takes: nothing was done, and nothing came of it.
        await platform.ledger.write(ended(7, seconds=1))
        await platform.ledger.write(ended(8, seconds=1, status=Status.FAILED))
        api = queued(9, "api")
        await platform.ledger.write(queued(9), api, run(9, "dep_web9", api.id))
        found = (await client.runs({**HERE, "limit": 3}))["runs"]
        assert [each["id"] for each in found] == ["drn_9", "drn_8", "drn_7"]
        assert set(found[0]) == RUN_KEYS | {"services"}
        assert found[0]["services"] == ["api", "web"]
        assert found[1]["services"] == []
        # Of the last five: 10, 20, 30, 40, 50.
        assert {each["usualSeconds"] for each in found} == {30}
        back = run(10, trigger=Trigger.ROLLBACK)
        await platform.ledger.write(back)
        assert (await client.runs({**HERE, "limit": 1}))["runs"][0]["usualSeconds"] is None


async def test_environments(home: Path) -> None:
    async with agent_inside(home) as (platform, client):
        assert await client.environments() == {"environments": []}
        staging = replace(TARGET, environment="staging")
        web, api = live(1), live(1, "api", health=Health.UNHEALTHY)
        await platform.ledger.write(
            EnvironmentRecord(TARGET, EngineName.PROCESS, "/shop"),
            EnvironmentRecord(staging, EngineName.PROCESS, "/shop2"),
            *(web, api, ended(1, web.id, api.id, seconds=4)),
            *(instance(each, ActivationState.LIVE) for each in (web, api)),
        )
        production, other = (await client.environments())["environments"]
        assert production.pop("lastRun")["id"] == "drn_1"
        assert production == {
            **HERE,
            "engine": "process",
            "root": "/shop",
            "files": [],
            "envFiles": [],
            "profiles": [],
            "services": {"active": 2, "unhealthy": 1},
        }
        assert other["environment"] == "staging"
        assert other["lastRun"] is None
        assert other["services"] == {"active": 0, "unhealthy": 0}


async def test_what_cannot_be_rolled_back_has_no_plan(home: Path) -> None:
    async with agent_inside(home) as (platform, client):
        with pytest.raises(NotFound, match="nothing is active"):
            await client.plan({**HERE, "trigger": "rollback"})
        await platform.ledger.write(live(1))
        with pytest.raises(NotFound, match="no earlier deployment"):
            await client.plan({**HERE, "trigger": "rollback"})
        with pytest.raises(Conflict, match="active already"):
            await client.plan({**HERE, "trigger": "rollback", "to": "dep_web1"})
        await platform.ledger.write(live(1, "api"))
        # The deployment says whose it is, unless more than one service is named.
        back = {**HERE, "trigger": "rollback", "to": "dep_web1"}
        with pytest.raises(Conflict, match="dep_web1 is active already"):
            await client.plan(back)
        with pytest.raises(Conflict, match="--to names one deployment"):
            await client.plan({**back, "services": ["api", "web"]})


async def test_a_request_of_the_wrong_shape_says_where(home: Path) -> None:
    async with agent_inside(home) as (_, client):
        with pytest.raises(UsageError, match=r"body\.services: .*list"):
            await client.plan({**HERE, "trigger": "deploy", "services": "web"})
