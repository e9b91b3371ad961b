"""A journal is made anew, from manifests and from what can still be read of the damaged one.

What the manifests cannot know, because they may be a moment late, is whether a run that was on its
way had switched: the routes tell. It is written down as if the agent had lived to do so; the next
one then takes the run to its end, forward or back, as after any crash.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.events import Event, EventType
from core.gateway.routed import routed
from core.journal.manifests import Manifests, Setting
from core.journal.schema import statement
from core.lines import stamp
from core.model import Stage, Status
from core.promotion.states import Move, move
from core.promotion.switching import settled
from core.records import (
    Activation,
    ActivationState,
    Deployment,
    DomainRecord,
    EnvironmentRecord,
    Execution,
    HostRecord,
    Run,
    UserRecord,
    VariableRecord,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from core.files import Home
    from core.gateway.routed import Routed
    from core.journal.manifests import Entry
    from core.journal.salvage import Salvaged
    from core.journal.schema import Kept
    from core.promotion.ledger import Ledger

_SETTLED = (EnvironmentRecord, HostRecord, VariableRecord, UserRecord, DomainRecord)


@dataclass(slots=True)
class Found:
    """What the new journal is made of."""

    entries: list[Entry]
    salvaged: int
    """How many of them only the damaged journal still had."""
    unreadable: list[str]
    """The names of manifests that are damaged themselves."""


def find(home: Home, salvaged: Salvaged) -> Found:
    """Puts the manifests over what was salvaged, which may be older."""
    manifests = Manifests(home.manifests).read()
    kept = list(_not_told_better(salvaged.records, manifests.entries))
    return Found([*kept, *manifests.entries], len(kept), manifests.unreadable)


def _not_told_better(salvaged: Iterable[Kept], told: Sequence[Entry]) -> Iterable[Kept]:
    """What nobody else knows: also what is missing from a manifest is told by it.

    A variable or a user that was removed must not come back.
    """
    told_of = {each.id for each in told if isinstance(each, Deployment)}
    targets = {each.target for each in told if isinstance(each, _SETTLED)}
    deployments = [each for each in salvaged if isinstance(each, Deployment)]
    believed = {each.id for each in deployments if each.target not in targets} - told_of
    for each in salvaged:
        match each:
            case Deployment() if each.id not in told_of:
                yield each if each.id in believed else _as_past(each)
            case Activation() if each.deployment_id in believed:
                yield each
            case Execution() if each.status.is_final or each.deployment_id in believed:
                yield each
            case Run() | Event():
                yield each
            case _ if isinstance(each, _SETTLED) and each.target not in targets:
                yield each


def _as_past(deployment: Deployment) -> Deployment:
    """What is active has a manifest, where anything of its environment has one."""
    if not deployment.is_active:
        return deployment
    return deployment.changed(
        status=Status.SUCCEEDED, stage=Stage.ACTIVE, is_active=False, watched=None
    )


def write(path: Path, entries: Sequence[Entry]) -> None:
    """Writes what was found into a journal that is there and empty; later entries win.

    Raises sqlite3.Error, where the disk does not take it.
    """
    with closing(sqlite3.connect(path)) as journal, journal:
        for entry in entries:
            if isinstance(entry, Setting):
                values = (entry.name, entry.value)
                journal.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", values)
            else:
                journal.execute(*statement(entry))
        # Whoever counts events goes on to count: no journal has had one in each second.
        event = Event(EventType.WARNING_GIVEN, stamp(), "the journal was damaged, and made anew")
        (last,) = journal.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()
        journal.execute(*statement(replace(event, seq=max(last + 1, int(time.time())))))


async def make_true(ledger: Ledger, home: Home) -> list[str]:
    """Decides what the records leave open; returns what was decided without being sure."""
    led = routed(home.gateway)
    doubts = []
    for run in list(ledger.runs.values()):
        doubts += await _decide(ledger, run, led)
    await _end_strays(ledger)
    for rivals in _rivals(ledger):
        doubts.append(await _choose(ledger, rivals, led))
    return doubts


async def _decide(ledger: Ledger, run: Run, led: Routed) -> list[str]:
    """Writes down that a run has switched, if it has."""
    mine = [ledger.deployments[each] for each in run.deployment_ids if each in ledger.deployments]
    await ledger.write(run.changed(deployment_ids=tuple(each.id for each in mine)))
    coming = [each for each in mine if not each.status.is_final and not each.is_active]
    candidates = ledger.candidates(run)
    is_switched = any(each.is_active for each in mine) or any(
        _is_switched_to(ledger, each, led) for each in candidates
    )
    if not is_switched:
        names = ", ".join(each.service.name for each in coming)
        told = f"{run.trigger} {run.id} was not seen to switch {names}: it is taken back"
        return [told] if coming else []
    ready = [each for each in coming if each.stage is not Stage.SWITCHING_ROUTE]
    before = [_previous(ledger, each) for each in coming]
    await ledger.write(
        *(move(each, Move.SWITCH_ROUTE) for each in ready),
        *(move(each, Move.ACTIVATE) for each in before if each and not each.status.is_final),
    )
    await ledger.write(*settled(ledger, run, [each.id for each in coming], candidates))
    return []


def _is_switched_to(ledger: Ledger, candidate: Activation, led: Routed) -> bool:
    previous = _previous(ledger, ledger.deployments[candidate.deployment_id])
    is_met = previous is not None and candidate.name in led.connections
    return is_met or candidate.name in led.requests


def _previous(ledger: Ledger, incoming: Deployment) -> Deployment | None:
    return ledger.active(incoming.target).get(incoming.service.name)


async def _end_strays(ledger: Ledger) -> None:
    """What is on its way in no run, as an old copy of a journal may have it."""
    held = {id_ for run in ledger.runs.values() for id_ in run.deployment_ids}
    for each in list(ledger.deployments.values()):
        if not each.status.is_final and each.id not in held:
            how = Move.ACTIVATE if each.is_active else Move.FAIL
            await ledger.write(move(each, how))


def _rivals(ledger: Ledger) -> list[list[Deployment]]:
    """Several that are active of one service."""
    found: dict[tuple[object, str], list[Deployment]] = {}
    for each in ledger.deployments.values():
        if each.is_active:
            found.setdefault((each.target, each.service.name), []).append(each)
    return [each for each in found.values() if len(each) > 1]


async def _choose(ledger: Ledger, rivals: list[Deployment], led: Routed) -> str:
    """Keeps what traffic goes to, else the newest."""
    routed_to = {name.partition(".")[0] for name in led.requests | led.connections}
    rivals.sort(key=lambda each: (each.id in routed_to, each.activated_at or ""))
    *others, chosen = rivals
    for each in others:
        ended = [
            replace(activation, state=ActivationState.GONE)
            for activation in ledger.activations.values()
            if activation.deployment_id == each.id
        ]
        await ledger.write(_as_past(each), *ended)
    service = f"{chosen.service.name} of {chosen.target}"
    return f"{len(rivals)} deployments of {service} were active: {chosen.id} is from now on"
