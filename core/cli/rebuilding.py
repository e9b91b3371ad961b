"""`doctor --rebuild`: a damaged journal is made anew. What is live is not touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.agent.rebuilding import rebuild
from core.cli.exits import Exit
from core.cli.text import counted
from core.files import Home

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.agent.rebuilding import Rebuilt
    from core.cli.output import Output


def rebuild_journal(output: Output) -> int:
    """Does it, and says what was found, what is lost, and what is not sure."""
    made = rebuild(Home.locate())
    if made is None:
        output.answer(
            {"isRebuilt": False, "failureMessage": None},
            lambda: ["the journal is sound: nothing was changed"],
        )
        return Exit.DONE
    output.answer(_as_json(made), lambda: _lines(made))
    return Exit.FAILED if made.lost else Exit.DONE


def _as_json(made: Rebuilt) -> dict[str, Any]:
    lost = f"nothing tells how these were made: {', '.join(made.lost)}"
    return {
        "isRebuilt": True,
        "reason": made.reason,
        "movedTo": str(made.aside) if made.aside else None,
        "active": made.active,
        "counts": made.counts,
        "salvaged": made.salvaged,
        "unreadable": made.unreadable,
        "doubts": made.doubts,
        "lost": made.lost,
        "failureMessage": lost if made.lost else None,
    }


def _lines(made: Rebuilt) -> Iterator[str]:
    yield f"the journal was damaged: {made.reason}"
    yield "it was made anew; the next command starts an agent, which takes over what is live"
    if made.aside:
        yield f"moved aside  {made.aside}"
    for each in made.active:
        yield f"live         {each}"
    told = (f"{count} {name}" for name, count in made.counts.items() if count)
    yield f"found        {', '.join(told) or 'nothing else'}"
    yield f"the past     {_past(made)}"
    for each in made.doubts:
        yield f"in doubt     {each}"
    for each in made.lost:
        yield f"LOST         how {each} was made, which is live: the next agent ends it"


def _past(made: Rebuilt) -> str:
    if not made.salvaged:
        return "lost: events, runs, executions, and deployments that nobody can go back to"
    lost = f"; {counted(made.unreadable, 'row')} could not be read" if made.unreadable else ""
    return f"{counted(made.salvaged, 'record')} of the damaged journal could be read{lost}"
