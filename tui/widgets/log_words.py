"""What the frame of a log pane says, and why an empty one is empty. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.model import Stream
from tui.logs.levels import Level
from tui.view.pieces import MUTED, PLAIN, TITLE, joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.logs.search import Search
    from tui.logs.store import Tally
    from tui.logs.viewport import Viewport
    from tui.view.pieces import Piece, Row
    from tui.view.scene import Scene

_GAP: Piece = ("  ", PLAIN)
_WARNING = "$state-warning"


def counted(count: int, noun: str) -> str:
    """`1 line`, `2 lines`, `12,340 lines`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def title(number: int, stream: Stream, only: str | None) -> Row:
    """The number to go there by, the stream, and whose lines."""
    return (
        (f"{number} ", PLAIN),
        (stream.value, TITLE),
        (f"  {only if only is not None else 'all services'}", MUTED),
    )


def subtitle(
    viewport: Viewport,
    search: Search | None,
    tally: Tally,
    notes: Sequence[str] = (),
    *,
    is_linked: bool = False,
) -> Row:
    """What is going on: where the view is, what hides or marks lines, and notes on their looks."""
    shown = viewport.filter
    groups: list[list[Piece]] = [_where(viewport)]
    if is_linked:
        groups.append([("linked", "bold")])
    if search is not None:
        found = search.describe(viewport.cursor)
        groups.append([(f"/{search.pattern.typed.strip('/')} ", "$log-match"), (found, PLAIN)])
    if shown.typed:
        groups.append([(f"filter {shown.typed}", _WARNING)])
    if shown.level is not Level.DEBUG:
        groups.append([(f"level >= {shown.level.name.lower()}", _WARNING)])
    errors = tally.errors(shown.only)
    if errors:
        groups.append([(counted(errors, "error"), "$state-failed")])
    if viewport.skipped:
        groups.append([(f"skipped {counted(viewport.skipped, 'line')}", _WARNING)])
    groups += [[(note, MUTED)] for note in notes]
    return joined(groups, _GAP)


def _where(viewport: Viewport) -> list[Piece]:
    if viewport.is_following:
        return [("follow", MUTED)]
    new = viewport.new_count
    return [("paused", "bold"), (f"  {new:,} new" if new else "", "bold")]


def why_empty(stream: Stream, viewport: Viewport, tally: Tally, scene: Scene | None) -> str:
    """Why there is no line to see."""
    if not viewport.shown.is_complete:
        return "Looking through the lines."
    if viewport.hidden_count:
        hidden = counted(viewport.hidden_count, "line")
        return f"{hidden} hidden by {viewport.filter}. {_way_out(viewport)}"
    if tally.was_cleared:
        return "Cleared. The next line will show here; the log files keep everything."
    if scene is not None and not scene.state.link.is_up and scene.state.link.reason:
        return f"No connection to the agent: {scene.state.link.reason}"
    services = scene.state.services.values() if scene is not None else ()
    if stream is not Stream.COMPARTMENT and not any(
        each.live or each.candidate for each in services
    ):
        return "No service is live. D deploys."
    return f"Waiting for the first line of {stream.value}."


def _way_out(viewport: Viewport) -> str:
    shown = viewport.filter
    ways = ["esc clears the filter"] if shown.typed else []
    if shown.level is not Level.DEBUG:
        ways.append("L changes the level")
    if shown.only is not None:
        ways.append("l shows all services")
    return f"{', '.join(ways).capitalize()}." if not shown.only else f"{', '.join(ways)}."
