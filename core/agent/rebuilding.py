"""A home whose journal is damaged gets another one."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from core.agent.daemon import only_agent
from core.agent.damage import damage
from core.errors import AgentUnavailable, EngineUnavailable, JournalError
from core.journal import Journal
from core.journal.manifests import Manifests
from core.journal.salvage import Salvaged, salvage
from core.journal.traced import GIVEN_UP
from core.logs.writer import CompartmentLog
from core.model import Status
from core.promotion import rebuilding
from core.promotion.engines import Engines
from core.promotion.ledger import Ledger
from core.promotion.traces import id_of, misses, served_ids, traces
from core.records import ActivationState, Deployment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.files import Home

_FILES: Final = ("-wal", "-shm", "")
"""What belongs to a journal, itself last: the log of one must never meet another one."""

_HELD_S: Final = 5.0
"""What systemd starts again and again holds the home for a moment each time."""

_HELD_PAUSE_S: Final = 0.1
_ENGINE_LIMIT_S: Final = 10.0


@dataclass(slots=True)
class Rebuilt:
    """What a journal was made anew with."""

    reason: str
    """What was wrong with the one before."""
    active: list[str]
    """The services that are live, as `project/environment service`."""
    counts: dict[str, int]
    """How many of other things there are, by their names in words."""
    salvaged: int
    """How many records only the damaged one still had."""
    unreadable: int
    """Of how many it is known that they could not be read."""
    doubts: list[str]
    """What is decided, or left to the next agent, without being sure."""
    lost: list[str]
    """Deployments that have something live, and nothing tells how they were made."""
    aside: Path | None = None
    """Where the one before is now; None where there was none."""


def rebuild(home: Home) -> Rebuilt | None:
    """Gives a home a journal that it can be run by; None where its own is sound.

    What is live is not touched.

    Raises:
        AgentUnavailable: an agent runs, which has the journal open.
        CompartmentError: the new one cannot be written; the old one is where it was.
    """
    if not home.root.exists():
        return None
    deadline = time.monotonic() + _HELD_S
    while True:
        try:
            with only_agent(home):
                return _rebuild(home)
        except AgentUnavailable:
            if home.agent_socket.exists() or time.monotonic() > deadline:
                raise
            time.sleep(_HELD_PAUSE_S)
        except (OSError, sqlite3.Error) as error:
            raise JournalError(
                f"the journal cannot be made anew: {error}",
                hint=f"check that there is room in {home.root}, then try again",
            ) from error


def _rebuild(home: Home) -> Rebuilt | None:
    reason = damage(home)
    if reason is None:
        return None
    salvaged = salvage(home.journal) if home.journal.exists() else Salvaged()
    mark = f"damaged-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    fresh = home.root / "journal.db.new"
    made = asyncio.run(_make(home, fresh, reason, salvaged))
    made.aside = _set_aside(home.journal, mark)
    fresh.rename(home.journal)
    manifests = Manifests(home.manifests)
    for name in manifests.read().unreadable:
        manifests.set_aside(name, mark)
    return made


def _set_aside(journal: Path, mark: str) -> Path | None:
    was_there = journal.exists()
    aside = journal.with_name(f"{journal.name}.{mark}")
    for each in _FILES:
        before = journal.with_name(f"{journal.name}{each}")
        if before.exists():
            before.rename(aside.with_name(f"{aside.name}{each}"))
    return aside if was_there else None


async def _make(home: Home, fresh: Path, reason: str, salvaged: Salvaged) -> Rebuilt:
    for each in _FILES:
        fresh.with_name(f"{fresh.name}{each}").unlink(missing_ok=True)
    found = rebuilding.find(home, salvaged)
    async with _opened(fresh):
        pass  # its tables are made
    rebuilding.write(fresh, found.entries)
    log = CompartmentLog(home.logs)
    with closing(log):
        async with _opened(fresh) as journal:
            ledger = Ledger(journal, log)
            await ledger.load()
            doubts = [f"the manifest {each} cannot be read" for each in found.unreadable]
            doubts += await rebuilding.make_true(ledger, home)
            doubts += await _compared(home, ledger)
            known = await journal.traced(traces(home))
            given_up = {id_of(each) for each in misses(home, known)}
            await journal.keep_setting(GIVEN_UP, " ".join(sorted(given_up)))
            # What has no manifest, and nothing is led to, has not been live yet.
            was_live = served_ids(home) | set(found.unreadable)
            return Rebuilt(
                reason=reason,
                active=_active(ledger),
                counts=_counts(ledger, found),
                salvaged=found.salvaged,
                unreadable=salvaged.unreadable,
                doubts=doubts,
                lost=sorted((given_up - known.keys()) & was_live),
            )


@asynccontextmanager
async def _opened(path: Path) -> AsyncIterator[Journal]:
    journal = Journal(path)
    await journal.open()
    try:
        yield journal
    finally:
        await journal.close()


def _active(ledger: Ledger) -> list[str]:
    active = (each for each in ledger.deployments.values() if each.is_active)
    return sorted(f"{each.target} {each.service.name}" for each in active)


def _counts(ledger: Ledger, found: rebuilding.Found) -> dict[str, int]:
    past = [
        each
        for each in found.entries
        if isinstance(each, Deployment) and each.status is Status.SUCCEEDED and not each.is_active
    ]
    return {
        "environments": len(ledger.environments),
        "deployments to go back to": len(past),
        "variables": len(ledger.variables),
        "users": len(ledger.users),
        "domains": len(ledger.domains),
    }


async def _compared(home: Home, ledger: Ledger) -> list[str]:
    """Where the engines have something else than the records say."""
    live = [each for each in ledger.activations.values() if each.state is ActivationState.LIVE]
    known = {name for each in ledger.activations.values() for name in each.instance_names}
    known |= ledger.executions.keys()
    doubts = []
    async with asyncio.TaskGroup() as tasks:
        engines = Engines(home, ledger.journal, tasks)
        await engines.find()
        for engine in engines:
            wanted = {
                name
                for each in live
                if ledger.deployments[each.deployment_id].engine == engine.name
                for name in each.instance_names
            }
            try:
                async with asyncio.timeout(_ENGINE_LIMIT_S):
                    there = set(await engine.instances())
            except (EngineUnavailable, TimeoutError):
                doubts.append(f"the {engine.name} engine does not answer: nobody has looked there")
                continue
            doubts += [f"{name} does not run: it is started again" for name in wanted - there]
            doubts += [f"nothing is known of {name}: it is ended" for name in there - known]
        await engines.close()
    return sorted(doubts)
