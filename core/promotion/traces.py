"""What a home tells of its deployments besides its journal: a journal must know at least of that.

Whatever runs or is routed to was committed before. A journal that does not know of it has lost
commits: it was emptied, deleted, or replaced by an older copy. An agent that believed it would end
what is live.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from core.gateway.routed import routed
from core.journal.database import damaged
from core.journal.manifests import Manifests
from core.records import Deployment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.files import Home
    from core.journal import Journal
    from core.journal.traced import Traced

_ACTIVATION: Final = re.compile(r"(dep_[a-z2-7]+)\.(\d+)")
_IN_A_LINE: Final = 3


async def check_knows_all(journal: Journal, home: Home) -> None:
    """Refuses a journal that does not know what is live in its home.

    Raises:
        JournalDamaged: what it does not know of.
    """
    if missed := misses(home, await journal.traced(traces(home))):
        raise damaged(home.journal, in_words(missed))


def traces(home: Home) -> set[str]:
    """The ids of all deployments that there is anything of besides the journal and the logs."""
    return {id_ for id_, _ in _lively(home).values()} | Manifests(home.manifests).deployment_ids


def misses(home: Home, known: Mapping[str, Traced]) -> list[str]:
    """What a journal should know and does not: ids, or activations of which it knows too little.

    `known` is what it says of all traces.
    """
    served = routed(home.gateway).requests
    missed = [
        name
        for name, (id_, number) in _lively(home).items()
        if id_ not in known or not known[id_].allows(number, is_served=name in served)
    ]
    manifests = Manifests(home.manifests)
    unknown = manifests.deployment_ids - known.keys()
    if unknown:
        # Of the past it may have forgotten more than the manifests have.
        unknown -= {
            each.id
            for each in manifests.read().entries
            if isinstance(each, Deployment) and each.status.is_final and not each.is_active
        }
    return sorted({*missed, *unknown})


def in_words(missed: list[str]) -> str:
    """What is wrong with a journal that misses these."""
    more = len(missed) - _IN_A_LINE
    names = ", ".join(missed[:_IN_A_LINE]) + (f" and {more} more" if more > 0 else "")
    return f"it does not know, or knows too little, of what is live here: {names}"


def id_of(name: str) -> str:
    """That of the deployment of an activation, or of one that is named itself."""
    return name.partition(".")[0]


def served_ids(home: Home) -> set[str]:
    """The ids of deployments that the gateway leads to."""
    led = routed(home.gateway)
    return {id_of(name) for name in led.requests | led.connections}


def _lively(home: Home) -> dict[str, tuple[str, int]]:
    """The activations of these, by name, with id and number."""
    led = routed(home.gateway)
    names = led.requests | led.connections | {path.name for path in home.instances.glob("dep_*")}
    found = filter(None, map(_ACTIVATION.match, names))
    return {each[0]: (each[1], int(each[2])) for each in found}
