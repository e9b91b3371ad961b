"""Everything that can happen, as one stream with sequence numbers.

Events are journalled with the change they tell of, so that a front end which was away reads on
where it stopped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class EventType(StrEnum):
    """What happened, in the past tense."""

    RUN_QUEUED = "RunQueued"
    RUN_STARTED = "RunStarted"
    ENGINE_CHOSEN = "EngineChosen"
    RUN_HELD = "RunHeld"
    RUN_RESUMED = "RunResumed"
    RUN_FINISHED = "RunFinished"
    STAGE_CHANGED = "StageChanged"
    READINESS_PASSED = "ReadinessPassed"
    ROUTES_SWITCHED = "RoutesSwitched"
    PREVIOUS_DRAINED = "PreviousDrained"
    STOOD_ASIDE = "StoodAside"
    CAME_BACK = "CameBack"
    DEPLOYMENT_FAILED = "DeploymentFailed"
    HEALTH_CHANGED = "HealthChanged"
    AUTOMATIC_ROLLBACK = "AutomaticRollback"
    WATCH_ENDED = "WatchEnded"
    SERVICE_STOPPED = "ServiceStopped"
    VARIABLES_CHANGED = "VariablesChanged"
    USERS_CHANGED = "UsersChanged"
    DOMAIN_CHANGED = "DomainChanged"
    CERTIFICATE_RENEWED = "CertificateRenewed"
    CERTIFICATE_FAILED = "CertificateFailed"
    CERTIFICATE_EXPIRING = "CertificateExpiring"
    EXECUTION_STARTED = "ExecutionStarted"
    EXECUTION_ENDED = "ExecutionEnded"
    GATEWAY_RESTARTED = "GatewayRestarted"
    WARNING_GIVEN = "WarningGiven"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened; `seq` is 0 until the journal has numbered it."""

    type: EventType
    at: str
    message: str
    project: str | None = None
    environment: str | None = None
    run_id: str | None = None
    deployment_id: str | None = None
    service_name: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    seq: int = 0

    def as_json(self) -> dict[str, Any]:
        """The event as one line of the stream."""
        return {
            "seq": self.seq,
            "type": self.type,
            "timestamp": self.at,
            "message": self.message,
            "project": self.project,
            "environment": self.environment,
            "deploymentRunId": self.run_id,
            "deploymentId": self.deployment_id,
            "serviceName": self.service_name,
            **self.data,
        }
