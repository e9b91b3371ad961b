"""The one table of what may become of a deployment.

Every change of status, stage or activity goes through `move`; whatever is not in the table is a bug
of ours and raises. A deployment that a rollback starts again keeps its id; when that fails it is
again what it was, because the record of the past stays true.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from core.errors import InternalError
from core.lines import stamp
from core.model import Health, Stage, Status

if TYPE_CHECKING:
    from core.records import Deployment


class Move(StrEnum):
    """What can happen to a deployment."""

    BEGIN = "begin"
    START_CANDIDATE = "start_candidate"
    CHECK_READINESS = "check_readiness"
    SWITCH_ROUTE = "switch_route"
    DRAIN_PREVIOUS = "drain_previous"
    ACTIVATE = "activate"
    FAIL = "fail"
    SUPERSEDE = "supersede"
    ROLL_BACK = "roll_back"
    REACTIVATE = "reactivate"
    STOP = "stop"


State = tuple[Status, Stage, bool]
"""Status, stage, and whether it is active."""

_QUEUED = (Status.QUEUED, Stage.BUILDING, False)
_BUILDING = (Status.RUNNING, Stage.BUILDING, False)
_STARTING = (Status.RUNNING, Stage.STARTING_CANDIDATE, False)
_CHECKING = (Status.RUNNING, Stage.CHECKING_READINESS, False)
_SWITCHING = (Status.RUNNING, Stage.SWITCHING_ROUTE, False)
_DRAINING = (Status.RUNNING, Stage.DRAINING_PREVIOUS, True)
_ACTIVE = (Status.SUCCEEDED, Stage.ACTIVE, True)
_PAST = (Status.SUCCEEDED, Stage.ACTIVE, False)
_ROLLED_BACK = (Status.SUCCEEDED, Stage.ROLLED_BACK, False)
_STOPPED = (Status.STOPPED, Stage.ACTIVE, False)

TABLE: dict[Move, dict[State, State]] = {
    Move.BEGIN: {_QUEUED: _BUILDING},
    Move.START_CANDIDATE: {_BUILDING: _STARTING},
    Move.CHECK_READINESS: {_STARTING: _CHECKING},
    # Without a readiness block there is nothing to check.
    Move.SWITCH_ROUTE: {_STARTING: _SWITCHING, _CHECKING: _SWITCHING},
    Move.DRAIN_PREVIOUS: {_SWITCHING: _DRAINING},
    # The first deployment of a service has no previous one to drain.
    Move.ACTIVATE: {_SWITCHING: _ACTIVE, _DRAINING: _ACTIVE},
    Move.FAIL: {
        state: (Status.FAILED, state[1], False)
        for state in (_QUEUED, _BUILDING, _STARTING, _CHECKING, _SWITCHING)
    },
    Move.SUPERSEDE: {_ACTIVE: _PAST},
    Move.ROLL_BACK: {_ACTIVE: _ROLLED_BACK},
    Move.REACTIVATE: dict.fromkeys((_PAST, _ROLLED_BACK, _STOPPED), _STARTING),
    Move.STOP: {_ACTIVE: _STOPPED},
}


def state_of(deployment: Deployment) -> State:
    """Where a deployment stands in the table."""
    return deployment.status, deployment.stage, deployment.is_active


def move(deployment: Deployment, how: Move, **fields: Any) -> Deployment:
    """The deployment after a move, with some other fields changed as well.

    Raises:
        InternalError: the table does not have this move from this state.
    """
    before = state_of(deployment)
    after = TABLE[how].get(before)
    if after is None:
        status, stage, is_active = before
        raise InternalError(
            f"deployment {deployment.id} cannot {how}: it is {status}, {stage},"
            f" {'active' if is_active else 'not active'}"
        )
    if how is Move.FAIL and deployment.returns_to is not None:
        return _as_it_was(deployment)
    status, stage, is_active = after
    consequences: dict[str, Any] = {}
    if how is Move.REACTIVATE:
        consequences = {
            "returns_to": before[:2], "health": Health.PENDING, "health_reason": None
        }  # fmt: skip
    elif is_active and not before[2]:
        consequences = {
            "activated_at": stamp(), "health": Health.HEALTHY, "health_reason": None,
            "failure_message": None,
        }  # fmt: skip
    elif before[2] and not is_active:
        consequences = {"watched": None, "returned_because": None}
    elif how is Move.FAIL:
        consequences = {"health": Health.UNHEALTHY}
    if after[0].is_final and not before[0].is_final:
        consequences |= {"completed_at": stamp(), "returns_to": None}
    changed = {"status": status, "stage": stage, "is_active": is_active}
    return deployment.changed(**{**changed, **consequences, **fields})


def _as_it_was(deployment: Deployment) -> Deployment:
    status, stage = deployment.returns_to or (deployment.status, deployment.stage)
    return deployment.changed(
        status=status, stage=stage, health=Health.HEALTHY, health_reason=None, returns_to=None
    )
