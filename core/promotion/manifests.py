"""What matters of the ledger is kept a second time, beside the journal.

It goes one way: the journal first, then the ledger, then the manifests. They may be a moment late,
but not in one thing: how what is about to be switched to is reached. Whether it was, the routes
tell.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from core.ending import to_the_end
from core.journal.manifests import Setting
from core.model import Stage, Status
from core.records import Activation, Deployment, Execution, Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Set

    from core.journal.manifests import Entry, Manifests
    from core.promotion.ledger import Ledger
    from core.records import Target

_log = logging.getLogger(__name__)

_PAUSE_S: Final = 0.05
"""What changes within it is written together."""

_ENVIRONMENT: Final = "env_"
_HOME: Final = "home"
"""The manifest of what all environments have in common."""

_SETTINGS: Final = ("ports", "docker")
"""Where the gateway listens, and the Docker Engine that is used."""


class ManifestWriter:
    """Writes what has changed. A disk that does not take it holds up nothing and nobody."""

    def __init__(self, ledger: Ledger, manifests: Manifests) -> None:
        self._ledger = ledger
        self._manifests = manifests
        self._written: dict[str, Any] = dict.fromkeys(manifests.names)
        """What is on the disk; None where an agent before this one has written it."""
        self._writing = asyncio.Lock()
        self._has_failed = False

    async def follow(self) -> None:
        """Writes what changes soon after it has, until cancelled."""
        while True:
            changed = self._ledger.next_change()
            await self.catch_up()
            await changed.wait()
            await asyncio.sleep(_PAUSE_S)

    async def catch_up(self) -> None:
        """Returns when what is true now is written, if it can be."""
        await to_the_end(self._catch_up())

    async def _catch_up(self) -> None:
        wanted = _wanted(self._ledger)
        await self._write(wanted)
        gone = {name for name in self._written if name.startswith(_ENVIRONMENT)} - wanted.keys()
        await self._remove(gone)

    async def keep_only(self, past: Set[str]) -> None:
        """The manifests of these deployments from now on, beside those of what is there now."""
        await to_the_end(self._keep_only(past))

    async def _keep_only(self, past: Set[str]) -> None:
        present = self._ledger.deployments
        for id_ in past - present.keys() - self._written.keys():
            # An earlier version has written none.
            found = await self._ledger.journal.deployment(id_)
            await self._write({id_: [found]} if found else {})
        await self._remove(self._manifests.deployment_ids - past - present.keys())

    async def _write(self, wanted: Mapping[str, Sequence[Entry]]) -> None:
        async with self._writing:
            different = {
                name: (essence, entries)
                for name, entries in wanted.items()
                if self._written.get(name) != (essence := tuple(map(_essence, entries)))
            }
            if different:
                written = await asyncio.to_thread(self._write_all, different)
                self._written |= {name: different[name][0] for name in written}

    def _write_all(self, different: Mapping[str, tuple[Any, Sequence[Entry]]]) -> list[str]:
        """Returns the names of those that the disk has taken."""
        written: list[str] = []
        for name, (_, entries) in different.items():
            try:
                self._manifests.write(name, entries)
            except OSError as error:
                self._own_up(error)
                return written
            written.append(name)
        self._has_failed = False
        return written

    def _own_up(self, error: OSError) -> None:
        if not self._has_failed:
            _log.warning("the manifests cannot be written: %s", error.strerror or error)
        self._has_failed = True

    async def _remove(self, names: Iterable[str]) -> None:
        async with self._writing:
            for name in names:
                self._manifests.remove(name)
                self._written.pop(name, None)


def _wanted(ledger: Ledger) -> dict[str, Sequence[Entry]]:
    """The manifests of what is there now: what is active first, so that it is written first."""
    runs = {id_: run for run in ledger.runs.values() for id_ in run.deployment_ids}
    beside: dict[str, list[Entry]] = defaultdict(list)
    for activation in ledger.activations.values():
        beside[activation.deployment_id].append(activation)
    for execution in ledger.executions.values():
        beside[execution.deployment_id].append(execution)
    # What became the past a moment ago may be on its way again.
    known = sorted(
        {**ledger.lately_forgotten(), **ledger.deployments}.values(),
        key=lambda each: not each.is_active,
    )
    found: dict[str, Sequence[Entry]] = {}
    for deployment in known:
        run = runs.get(deployment.id)
        entries = [deployment, *beside[deployment.id], *([run] if run else [])]
        if _is_kept(deployment, entries):
            found[deployment.id] = entries
    return {**found, **_settled(ledger), _HOME: _settings(ledger)}


def _is_kept(deployment: Deployment, entries: Iterable[Entry]) -> bool:
    """Not what has failed, nor what cannot have been switched to yet."""
    if deployment.status.is_final:
        return deployment.status is not Status.FAILED
    activations = [each for each in entries if isinstance(each, Activation)]
    is_started = all(each.addresses for each in activations)
    return deployment.stage is not Stage.BUILDING and is_started


def _settled(ledger: Ledger) -> dict[str, Sequence[Entry]]:
    """What stands until somebody changes it, by environment."""
    found: dict[Target, list[Entry]] = defaultdict(list)
    for kind in (
        *(ledger.environments, ledger.hosts, ledger.variables),
        *(ledger.users, ledger.domains),
    ):
        for record in kind.values():
            found[record.target].append(record)
    return {_name_of(target): records for target, records in found.items()}


def _name_of(target: Target) -> str:
    """A file's name, whatever the environment is called."""
    digest = hashlib.sha256(f"{target.project}\0{target.environment}".encode()).hexdigest()
    return f"{_ENVIRONMENT}{digest[:20]}"


def _settings(ledger: Ledger) -> list[Entry]:
    known = ledger.journal.settings
    return [Setting(name, known[name]) for name in _SETTINGS if name in known]


def _essence(entry: Entry) -> Any:
    """What of a record makes its manifest worth writing again."""
    match entry:
        case Deployment():
            how = (entry.status, entry.stage) if entry.status.is_final else None
            return entry.id, how, entry.is_active, entry.activations, entry.watched
        case Activation():
            where = (entry.addresses, entry.ports)
            return entry.name, entry.state, where, entry.finished, entry.replaced_by
        case Run() | Execution():
            return entry.id
        case _:
            return entry
