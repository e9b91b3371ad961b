"""Why a deployment failed, with what a person needs to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import CompartmentError
from core.events import EventType
from core.logs.reader import LogQuery, LogSource, read
from core.model import Stage, Stream
from core.promotion.ledger import deployment_event
from core.promotion.states import Move, move

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from core.promotion.ledger import Ledger
    from core.records import Deployment

_LAST_LINES = 50
"""How many of the candidate's last lines a failure carries (spec, 3.2)."""

_PHASES = {
    Stage.BUILDING: "build failed",
    Stage.STARTING_CANDIDATE: "the candidate did not start",
    Stage.CHECKING_READINESS: "the candidate did not get ready",
    Stage.SWITCHING_ROUTE: "the routes were not switched",
}


class DeploymentFailed(Exception):
    """One deployment cannot go on; the run goes back as a whole."""

    def __init__(
        self,
        detail: str,
        *,
        guess: str | None = None,
        phase: str | None = None,
        code: str = CompartmentError.code,
        build: Sequence[str] = (),
        has_begun: bool = True,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.guess = guess
        self.code = code
        """Of the error that it failed by: scripts tell an engine that is away from a bad build."""
        self.phase = phase
        """What failed, where the stage does not say it."""
        self.has_begun = has_begun
        """Whether it was started at all, so that what it wrote says more."""
        self.build = build
        """What the build said last, where it is the build that failed."""


def describe(
    deployment: Deployment, failure: DeploymentFailed, logs: Path
) -> tuple[str, list[str]]:
    """The failure in words (stage, detail, guess), and the last lines of the build or candidate."""
    phase = failure.phase or _PHASES.get(deployment.stage, str(deployment.stage))
    if not failure.has_begun:
        phase = "it was not started"
    parts = [f"{phase}: {failure.detail}"]
    if failure.guess:
        parts.append(f"likely: {failure.guess}")
    told = "\n".join(parts)
    if failure.build:
        return told, ["the last lines of the build:", *failure.build]
    if not failure.has_begun:
        return told, []
    if failure.phase or deployment.stage in (Stage.STARTING_CANDIDATE, Stage.CHECKING_READINESS):
        lines = last_lines(deployment, logs)
        return told, ["its last lines:", *lines] if lines else ["it wrote nothing"]
    return told, []


def last_lines(deployment: Deployment, logs: Path) -> list[str]:
    """The last lines of a deployment's own output, as `[stream] text`."""
    source = LogSource(deployment.id, deployment.service.name, deployment.target.environment)
    streams = frozenset({Stream.STDOUT, Stream.STDERR})
    query = LogQuery(streams=streams, tail=_LAST_LINES, since=None, grep=None)
    return [f"[{line.stream}] {line.message}" for line in read(logs, [source], query)]


async def fail(
    ledger: Ledger, deployment: Deployment, run_id: str, told: str, lines: Sequence[str] = ()
) -> None:
    """Ends a deployment as failed; of the lines nothing is logged, the log has them already.

    One that a rollback has started again is what it was before.
    """
    message = "\n".join([told, *lines])
    is_rollback = deployment.returns_to is not None
    fields = {} if is_rollback else {"failure_message": message}
    await ledger.write(
        move(deployment, Move.FAIL, **fields),
        deployment_event(
            EventType.DEPLOYMENT_FAILED,
            deployment,
            f"failed: {told}",
            run_id=run_id,
            failureMessage=message,
        ),
    )
