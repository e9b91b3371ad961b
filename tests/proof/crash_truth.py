"""What must be so after a crash: of the journal, on the machine, and behind the gateway."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING

import httpx

from core.engines.docker.labels import Role
from core.model import ServiceKind
from tests.e2e.clients import get
from tests.e2e.faults import Containers
from tests.load.outcome import RequestLost
from tests.load.plan import Target
from tests.proof.crash_facts import Facts, untrue

if TYPE_CHECKING:
    from core.files import Home
    from tests.e2e.house import House
    from tests.proof.crash_facts import Expected

_STREAMS = ".streams"
"""What the twin of a cluster, for streams, is called after it."""


def orphans(running: House, facts: Facts) -> list[str]:
    """What there is on the machine that nothing true leads to, or the other way round."""
    found = []
    wanted = {name for each in facts.activations for name in each.instance_names}
    there = running.instance_names()
    if there != wanted:
        found.append(f"instances {sorted(there)}, not {sorted(wanted)}")
    return found + _unfinished_releases(running.home)


def _unfinished_releases(home: Home) -> list[str]:
    names = {each.name for each in home.releases.iterdir()}
    whole = {name for name in names if name.startswith("art_") and not name.endswith(".json")}
    left = names - whole - {f"{name}.json" for name in whole if f"{name}.json" in names}
    missing = {name for name in whole if f"{name}.json" not in names}
    return [f"unfinished releases: {sorted(left | missing)}"] if left or missing else []


async def left_on_docker(running: House, facts: Facts) -> list[str]:
    """Holders, networks and whatever else of this home there is on the engine without need.

    An environment whose first deploy has failed keeps its network and names for the next one.
    """
    socket = os.environ["DOCKER_HOST"].removeprefix("unix://")
    there = await Containers(socket, running).everything()
    there.pop(Role.INSTANCE, None)  # those are looked at already
    holders, networks = there.pop(Role.HOLDER, []), there.pop(Role.NETWORK, [])
    needed = sorted(each.service.name for each in facts.active if each.service.kind.is_routable)
    used = {each.target for each in facts.active}
    known = {each.target for each in facts.environments}
    found = [f"{role}: {names}" for role, names in there.items()]
    if not len(used) <= len(networks) <= len(known):
        found.append(f"networks {networks} of {len(known)} environments")
    if holders != needed and (known == used or not set(needed) <= set(holders)):
        found.append(f"holders {holders}, not {needed}")
    return found


async def misled(running: House, facts: Facts) -> list[str]:
    """Where the gateway leads elsewhere than to what is said to be active."""
    found = await _wrong_clusters(running, facts)
    about = await running.client.agent()
    for each in facts.active:
        if not each.service.kind.is_routable or each.route_host is None:
            continue
        is_web = each.service.kind is ServiceKind.WEB
        asked = {"internalAddress": (200, each.label)}
        asked["publicAddress"] = (200, each.label) if is_web else (404, None)
        for listener, wanted in asked.items():
            answered = await _answer(about[listener], each.route_host)
            if answered[: 2 if wanted[1] else 1] != wanted[: 2 if wanted[1] else 1]:
                found.append(f"{each.route_host} at {listener}: {answered}, not {wanted}")
    return found


async def _answer(listener: str, host: str) -> tuple[int, str | None]:
    address, _, port = listener.rpartition(":")
    try:
        reply = await get(Target(address, int(port), host), "/version")
    except (RequestLost, OSError):
        return 0, None
    return reply.status, reply.version


async def _wrong_clusters(running: House, facts: Facts) -> list[str]:
    routed = {each.id for each in facts.active if each.service.kind.is_routable}
    names = {each.name for each in facts.activations if each.deployment_id in routed}
    wanted = names | {name + _STREAMS for name in names}
    socket = httpx.AsyncHTTPTransport(uds=str(running.home.sockets / "envoy.sock"))
    async with httpx.AsyncClient(transport=socket, timeout=10, trust_env=False) as admin:
        try:
            told = (await admin.get("http://envoy/clusters", params={"format": "json"})).json()
        except httpx.HTTPError as error:
            return [f"the gateway does not answer: {error!r}"]
    there = {each["name"] for each in told["cluster_statuses"]}
    there = {name for name in there if name.startswith("dep_")}
    return [f"clusters {sorted(there)}, not {sorted(wanted)}"] if there != wanted else []


async def until_true(running: House, expected: Expected, within_s: float) -> float:
    """Looks until everything is as it must be; returns the moment of the look that found it so.

    Raises:
        AssertionError: it never was.
    """
    deadline = time.monotonic() + within_s
    while True:
        looked_at = time.monotonic()
        facts = await asyncio.to_thread(Facts.read, running.home.journal)
        wrong = untrue(facts, expected)
        wrong += await asyncio.to_thread(orphans, running, facts)
        wrong += await misled(running, facts)
        if running.engine == "docker":
            wrong += await left_on_docker(running, facts)
        if not wrong:
            return looked_at
        assert looked_at < deadline, "\n".join(wrong)
        await asyncio.sleep(0.02)
