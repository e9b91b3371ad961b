"""No record has a secret in the words that are shown of it."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from core.events import Event
from core.records import Deployment, Execution, Run, UserRecord, VariableRecord

if TYPE_CHECKING:
    from core.journal import Record
    from core.secrets import Mask


def secrets_in(record: Record) -> list[str]:
    """The values that are to be hidden from now on."""
    match record:
        case VariableRecord():
            found = [record.variable]
        case UserRecord():
            return [record.digest]
        case Deployment():
            found = list(record.assigned.values())
        case _:
            found = []
    inline = _inline(record) if isinstance(record, Deployment) else []
    return [*(each.value for each in found if each.is_sensitive), *inline]


def _inline(deployment: Deployment) -> list[str]:
    """The secrets that a Compose file, or a variable that it names, holds."""
    container = deployment.service.container
    files = container.files if container else ()
    return [each.content.strip() for each in files if each.is_secret]


def masked(record: Record, mask: Mask) -> Record:
    """The record as it may be kept: what it says may quote a service, a build or an engine."""
    if not mask.reach:
        return record
    match record:
        case Event():
            return replace(
                record, message=mask.mask(record.message), data=_masked(record.data, mask)
            )
        case Run():
            return record.changed(
                failure_message=_masked(record.failure_message, mask),
                because=_masked(record.because, mask),
            )
        case Deployment():
            return record.changed(
                failure_message=_masked(record.failure_message, mask),
                health_reason=_masked(record.health_reason, mask),
                returned_because=_masked(record.returned_because, mask),
            )
        case Execution():
            return record.changed(message=_masked(record.message, mask))
        case _:
            return record


def _masked(value: Any, mask: Mask) -> Any:
    if isinstance(value, str) and not isinstance(value, Enum):  # our own words are no secrets
        return mask.mask(value)
    if isinstance(value, dict):
        return {name: _masked(each, mask) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(each, mask) for each in value]
    return value
