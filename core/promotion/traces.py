"""What a home tells of its deployments besides its journal: a journal must know at least of that.

One that does not is not the one that wrote them: it was emptied, deleted, or replaced by an older
copy. An agent that believed it would end what is live.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.gateway.routed import routed
from core.journal.database import damaged
from core.journal.manifests import Manifests
from core.records import Deployment

if TYPE_CHECKING:
    from core.files import Home
    from core.journal import Journal

_DEPLOYMENT: Final = "dep_"


async def check_knows_all(journal: Journal, home: Home) -> None:
    """Refuses a journal that does not know what is live in its home.

    Raises:
        JournalDamaged: what it does not know of.
    """
    if reason := misses(home, await journal.unknown_deployments(traces(home))):
        raise damaged(home.journal, reason)


def traces(home: Home) -> set[str]:
    """The ids of all deployments that there is anything of besides the journal and the logs."""
    return running_or_routed(home) | Manifests(home.manifests).deployment_ids


def misses(home: Home, unknown: set[str]) -> str | None:
    """What is wrong with a journal that does not know these; None: it may have forgotten them."""
    if not unknown:
        return None
    past = {
        each.id
        for each in Manifests(home.manifests).read().entries
        if isinstance(each, Deployment) and each.status.is_final and not each.is_active
    }
    missed = sorted(unknown - (past - running_or_routed(home)))
    if not missed:
        return None
    more = f" and {len(missed) - 1} more" if missed[1:] else ""
    return f"it does not know what is live here: {missed[0]}{more}"


def running_or_routed(home: Home) -> set[str]:
    """The ids of deployments that have, or had, a process, or that the gateway leads to."""
    led = routed(home.gateway)
    instances = {path.name for path in home.instances.glob(f"{_DEPLOYMENT}*")}
    return {name.partition(".")[0] for name in led.requests | led.connections | instances}
