"""The runs of an environment as rows, and one run as bars with its deployments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.content import Content

from core.cli.text import duration
from tui.view import words
from tui.view.columns import Row, cut, hanging
from tui.view.looks import FAILED, HEALTHY, IDLE, ROLLBACK, WORKING
from tui.view.moments import moment
from tui.view.state import Run
from tui.view.timeline import Phase, Timeline, Track, bar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from tui.view.glyphs import Glyphs

Json = dict[str, Any]
_MUTED = "$foreground-muted"

TITLES: Row = ("WHEN", "RUN", "RESULT", "TOOK", "SERVICES", "LABEL")
GIVES_WAY = (4, 5)

_STYLES = {
    Phase.QUEUED: IDLE,
    Phase.BUILD: WORKING,
    Phase.START: "$foreground",
    Phase.READINESS: "$state-warning",
    Phase.WAITS: IDLE,
    Phase.SWITCH: ROLLBACK,
    Phase.DRAIN: HEALTHY,
}


def run_row(run: Json, now: datetime, glyphs: Glyphs) -> Row:
    """One run in the list."""
    read = Run.read(run)
    end = read.completed_at or now
    passed = words.seconds(read.created_at, end)
    services = words.listed([str(each) for each in run.get("services") or ()], most=4)
    by_itself = ", by itself" if read.because else ""
    return (
        words.ago(read.created_at, now),
        f"{read.trigger}{by_itself}",
        result(read, glyphs),
        duration(passed) if read.completed_at else words.clock(passed),
        services or Content.styled("none", _MUTED),
        f'"{read.label}"' if read.label else "",
    )


def result(run: Run, glyphs: Glyphs) -> Content:
    """How a run ended, or how it is doing."""
    if not run.status.is_final:
        sign = glyphs.queued if run.status.value == "queued" else glyphs.working
        return Content.styled(f"{sign} {run.status}", WORKING)
    if run.is_cancelled:
        return Content.styled(f"{glyphs.stopped} cancelled", IDLE)
    if run.status.value == "succeeded":
        return Content.styled(f"{glyphs.healthy} succeeded", HEALTHY)
    return Content.styled(f"{glyphs.failed} {run.status}", FAILED)


def is_found(run: Json, text: str) -> bool:
    """Whether a filter's words are all somewhere in what is shown of a run."""
    parts = [run["id"], run["trigger"], words.outcome(Run.read(run)), run.get("label") or ""]
    parts += ["by itself", run["because"]] if run.get("because") else []
    known = " ".join([*parts, *(run.get("services") or ())]).lower()
    return all(word in known for word in text.lower().split())


def title(run: Json, glyphs: Glyphs) -> list[Content]:
    """Which run, and why it failed if it did."""
    lines = [Content.styled(str(run["id"]), "bold")]
    if run.get("because"):
        lines.append(Content(glyphs.said(f"by itself: {words.reason(run['because'])}")))
    if run.get("failureMessage"):
        failure = f"{glyphs.failed} {glyphs.said(words.reason(run['failureMessage']))}"
        lines.append(Content.styled(failure, FAILED))
    return lines


def chart(found: Timeline, width: int, glyphs: Glyphs) -> list[Content]:
    """A bar for each deployment of a run, and under it what took how long."""
    if not found.tracks:
        return [Content.styled("nothing was deployed in this run", _MUTED)]
    longest = max(Content(each.service).cell_length for each in found.tracks)
    room = min(longest, max(width // 4, 8))
    lines: list[Content] = []
    for track in found.tracks:
        name = cut(track.service, room, glyphs.cut)
        lines.append(
            name.pad_right(room + 2 - name.cell_length)
            + _bar(track, found.seconds, max(width - room - 2, 10))
        )
        lines += hanging(_spans(track), width, room + 2)
        if track.failure:
            failure = f"{glyphs.failed} {glyphs.said(words.reason(track.failure))}"
            lines += hanging(Content.styled(failure, FAILED), width, room + 2)
    return [*lines, Content(""), *_summary(found)]


def _bar(track: Track, total: float, width: int) -> Content:
    by_letter = {phase.letter: style for phase, style in _STYLES.items()} | {"!": FAILED}
    drawn = bar(track, total, width)
    return Content.assemble(*((letter, by_letter.get(letter, "")) for letter in drawn))


def _spans(track: Track) -> Content:
    parts = [
        f"{span.phase} {took(span.seconds)}" + (" so far" if is_last and track.is_open else "")
        for span in track.spans
        for is_last in [span is track.spans[-1]]
        if span.seconds >= _LEAST_TOLD_S[span.phase is Phase.QUEUED] or span.phase is Phase.SWITCH
    ]
    return Content.styled(", ".join(parts), _MUTED)


_LEAST_TOLD_S = {False: 0.05, True: 1.0}
"""Shorter phases are not worth a word; every run is queued for a moment."""


def _summary(found: Timeline) -> list[Content]:
    if found.switched_s is not None:
        took_ms = (found.switch_seconds or 0) * 1000
        text = f"routes switched {took(found.switched_s)} after the start, in {took_ms:.1f} ms"
    elif any(track.is_open for track in found.tracks):
        text = "routes are not switched yet: what is live stays until then"
    else:
        text = "routes were not switched: what was live stayed"
    letters = "  ".join(f"{each.letter} {each}" for each in Phase)
    return [Content(text), Content.styled(f"{letters}  ! failed", _MUTED)]


def took(seconds: float) -> str:
    """A duration that has passed: `8ms`, `7.9s`, `2m 05s`."""
    return words.milliseconds(seconds * 1000) if seconds < 59.95 else words.counting(seconds)


def deployment_row(each: Mapping[str, Any], outcome: Content, now: datetime) -> Row:
    """One deployment of the run in its list."""
    can = Content("can be returned to") if each.get("rollbackAvailable") else Content("")
    return (
        Content.styled(str(each["serviceName"]), "bold"),
        str(each["id"]),
        outcome,
        words.ago(moment(each.get("createdAt")), now),
        can,
    )


DEPLOYMENT_TITLES: Row = ("SERVICE", "DEPLOYMENT", "NOW", "MADE", "")
DEPLOYMENT_GIVES_WAY: Sequence[int] = (0, 1)
