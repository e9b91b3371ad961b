"""`dependsOn`: what a service waits for, as a list of names or a mapping of names to conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from core.config.document import describe
from core.config.fields import broken_rule
from core.config.patterns import SERVICE_NAME
from core.model import Condition, Dependency, ServiceKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.config.descriptor import ServiceModel


def _named(value: Any) -> Any:
    """A list as a mapping in which no condition is given."""
    if isinstance(value, list):
        return dict.fromkeys(name for name in value if isinstance(name, str))
    if not isinstance(value, dict):
        words = "a list of services, or a mapping of services to conditions"
        raise broken_rule(f"must be {words}, not {describe(value)}")
    return value


Waits = Annotated[
    dict[str, Annotated[Condition, Field(strict=False)] | None],
    BeforeValidator(_named),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "array", "items": {"type": "string", "pattern": SERVICE_NAME}},
                {
                    "type": "object",
                    "patternProperties": {
                        SERVICE_NAME: {"enum": [each.value for each in Condition]}
                    },
                },
            ]
        }
    ),
]
"""What is waited for by name; None where the condition follows from what is named."""


def dependencies(waits: Waits, services: Mapping[str, ServiceModel]) -> tuple[Dependency, ...]:
    """Return what a service waits for, every condition filled in."""
    return tuple(
        Dependency(name, condition or _usual(services[name])) for name, condition in waits.items()
    )


def _usual(service: ServiceModel) -> Condition:
    """The most that can be waited for in a service."""
    kind = ServiceKind(service.kind)
    if kind is ServiceKind.JOB:
        return Condition.COMPLETED
    if service.readiness is not None or kind is ServiceKind.WORKER:
        return Condition.HEALTHY
    return Condition.STARTED
