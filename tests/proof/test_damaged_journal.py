"""The journal is damaged, under load; traffic goes on, and the journal is made anew.

The agent of a home with everything in it (two replicas, an `api`, a worker, a cron, a service
behind a login, a user, variables, a domain) is killed, and its journal then deleted, cut, zeroed,
overwritten, spoilt in one record, or replaced by an older copy. Each time no agent starts on it:
the error is one line, with the way to mend it. `compartment doctor` finds the damage, and `doctor
--rebuild`, which refuses while an agent runs, makes the journal anew. The next agent takes over the
very processes or containers that were live before, and knows what it knew: what is active, the
variables, the users, the domains, the names and ports. Afterwards a rollback needs no build, and
the next deploy works.

The same where the agent died in the middle of a run: before its switch the run is undone, after it
the run is done. Not one request is lost in all of this.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from core.errors import JournalDamaged
from tests.e2e.clients import get
from tests.e2e.house import kill
from tests.load.load import Load
from tests.load.plan import LoadPlan
from tests.proof.journal_damages import DAMAGES, copied, remove

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.house import House, Json, LabProject
    from tests.figures import FiguresRecorder

pytestmark = pytest.mark.engines("process", "docker", whole=("docker",))

LIMIT_S = 60.0
SERVICES = ("web", "private", "backoffice", "mail", "nightly")
SHORT = ("its header is overwritten",)
PLAN = LoadPlan(fresh_per_s=40, keep_alive_per_s=30, posts_per_s=1, sse_clients=1)


def everything(lab: LabProject) -> None:
    """One service of each kind."""
    lab.write(
        web={"replicas": 2},
        private={"kind": "web", "accessMode": "authenticated"},
        backoffice={"kind": "api"},
        mail={"kind": "worker", "readiness": None},
        nightly={"kind": "cron", "readiness": None, "schedule": "0 0 29 2 *"},
    )


async def settle(running: House, lab: LabProject) -> None:
    """What somebody sets once, and counts on."""
    named = {"project": lab.name, "environment": "production"}
    client = running.client
    await client.set_variable("PLAIN", {**named, "value": "as it was"})
    await client.set_variable("SECRET", {**named, "value": "s3cret", "sensitive": True})
    await client.add_user("ann", {**named, "password": "ann's own secret"})
    await client.add_domain("shop.example.com", {**named, "service": "web"})


async def known(running: House, lab: LabProject) -> Json:
    """What must be the same after the journal was made anew."""
    client, named = running.client, {"project": lab.name, "environment": "production"}
    status = await client.status(named)
    about = await client.agent()
    return {
        "active": {
            each["serviceName"]: (each["id"], each["routeUrl"])
            for each in status["activeDeployments"]
        },
        "variables": (await client.variables(named))["variables"],
        "users": (await client.users(named))["users"],
        "domains": (await client.domains(named))["domains"],
        "crons": [each["serviceName"] for each in (await client.crons(named))["crons"]],
        "addresses": (about["publicAddress"], about["internalAddress"]),
        "gateway": running.gateway_pid(),
        "instances": running.instance_names(),
        "processes": sorted(running.first_pids()),
    }


async def doctor(*flags: str) -> tuple[int, Json]:
    """What the command says."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "core.cli.main", "doctor", "--output", "json", *flags),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(LIMIT_S):
        said, complaints = await process.communicate()
    assert b"Traceback" not in complaints, complaints.decode()
    return process.returncode or 0, json.loads(said)


async def made_anew(running: House) -> Json:
    """Finds the damage as a person would, mends it, and starts an agent again."""
    with pytest.raises(JournalDamaged) as caught:
        await running.client.attach()
    assert "\n" not in caught.value.message
    assert "compartment doctor --rebuild" in (caught.value.hint or "")
    code, told = await doctor("--rebuild")
    assert (code, told["isRebuilt"], told["lost"]) == (0, True, [])
    await running.client.attach()
    return told


async def until_idle(running: House) -> None:
    """Returns when the runs that were found are at their ends."""
    async with asyncio.timeout(LIMIT_S):
        while not (await running.client.agent())["isIdle"]:
            await asyncio.sleep(0.02)


@pytest.mark.timeout(500)
async def test_everything_is_known_again(
    running: House,
    lab: LabProject,
    counts: FiguresRecorder,
    extent: Callable[[tuple[str, ...], tuple[str, ...]], tuple[str, ...]],
) -> None:
    everything(lab)
    await running.deployed(lab)
    older = copied(running.home.journal)
    await settle(running, lab)
    lab.bump()
    await running.deployed(lab)
    cases = extent(SHORT, tuple(DAMAGES))
    async with Load(await running.target(), PLAN) as load:
        before = await known(running, lab)
        code, told = await doctor("--rebuild")
        assert code == 4
        assert "another agent holds" in told["failureMessage"]
        for case in cases:
            kill(await running.agent_pid())
            DAMAGES[case](running.home.journal)
            code, found = await doctor()
            assert code == 1
            assert "is damaged" in found["failureMessage"]
            await made_anew(running)
            assert await known(running, lab) == before, case
        kill(await running.agent_pid())
        remove(running.home.journal)
        for name, content in older.items():
            (running.home.root / name).write_bytes(content)
        await made_anew(running)
        assert await known(running, lab) == before
        await running.deployed(lab, "rollback")
        assert (await get(await running.target(), "/version")).version == "v1"
        lab.bump()
        await running.deployed(lab)
        assert (await get(await running.target(), "/version")).version == "v3"
        assert set(await running.active(lab)) == set(SERVICES)
    report = load.report()
    counts("journals damaged while all was quiet", len(cases) + 1, "cases")
    counts("requests lost meanwhile", len(report.lost), "requests", 0)
    assert [str(loss) for loss in report.lost] == []
    assert lab.access_log.not_exactly_once(report.ids) == {}


MOMENTS: dict[str, dict[str, Any]] = {
    "before its switch": {"type_": "StageChanged", "promotionStage": "checking_readiness"},
    "in its switch": {"type_": "StageChanged", "promotionStage": "switching_route"},
    "after its switch": {"type_": "RoutesSwitched"},
}


@pytest.mark.timeout(500)
async def test_a_run_that_was_on_its_way(
    running: House,
    lab: LabProject,
    counts: FiguresRecorder,
    extent: Callable[[tuple[str, ...], tuple[str, ...]], tuple[str, ...]],
) -> None:
    worker = {"kind": "worker", "readiness": None}
    lab.write(web={"replicas": 2}, backoffice={"kind": "api"}, mail=worker)
    await running.deployed(lab)
    cases = [
        (case, moment, trigger)
        for case in extent(("it is deleted",), ("its header is overwritten", "it is deleted"))
        for trigger in extent(("redeploy",), ("redeploy", "rollback"))
        for moment in extent(("after its switch",), tuple(MOMENTS))
    ]
    lab.bump()
    await running.deployed(lab)
    async with Load(await running.target(), PLAN) as load:
        for case, moment, trigger in cases:
            before = await active_ids(running, lab)
            lab.bump()
            run_id = await running.submit(lab, trigger)
            await running.until(run_id, **MOMENTS[moment])
            kill(await running.agent_pid())
            DAMAGES[case](running.home.journal)
            await made_anew(running)
            await until_idle(running)
            after = await active_ids(running, lab)
            here = f"{case}, {trigger}, {moment}"
            # All services of the run, or none of them.
            changed = {name for name, found in after.items() if found != before[name]}
            assert changed in (set(), set(after)), here
            if moment == "after its switch":
                assert changed == set(after), here
            await is_true(running, lab, after)
            lab.bump()
            await running.deployed(lab)
    report = load.report()
    counts("journals damaged in the middle of a run", len(cases), "cases")
    assert [str(loss) for loss in report.lost] == []
    assert report.cut_off == ()
    assert lab.access_log.not_exactly_once(report.ids) == {}


async def active_ids(running: House, lab: LabProject) -> dict[str, str]:
    """Exactly one of each service."""
    active = await running.active(lab)
    assert {name: len(found) for name, found in active.items()} == dict.fromkeys(active, 1)
    return {name: found[0]["id"] for name, found in active.items()}


async def is_true(running: House, lab: LabProject, active: dict[str, str]) -> None:
    """What is said to be active is what runs, and nothing else does."""
    async with asyncio.timeout(LIMIT_S):
        while {each.partition(".")[0] for each in running.instance_names()} != set(active.values()):
            await asyncio.sleep(0.02)
    for name, id_ in active.items():
        (found,) = (await running.client.inspect({"project": lab.name, "deployment": id_}))[
            "deployments"
        ]
        assert (found["status"], found["isActive"]) == ("succeeded", True), name
