"""The shape of `x-compartment`: strict, and with the words of `compartment.yml`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from core.config.compose.mapping.extension import Extension
from core.config.descriptor import AutoRollbackModel, DrainModel, ReadinessModel
from core.config.document import describe
from core.config.fields import StrictModel, broken_rule
from core.config.problems import validate
from core.config.services import auto_rollback, drain, readiness
from core.container import Protocol
from core.model import AccessMode, ServiceKind, Strategy

if TYPE_CHECKING:
    from core.config.document import Document
    from core.model import Problem

PortNumber = Annotated[int, Field(ge=1, le=65_535)]
Spoken = Literal["http", "tcp"]


class ExtensionModel(StrictModel):
    """What a service of a Compose file may say of itself."""

    kind: Literal["web", "api", "tcp", "worker", "job"] | None = None
    strategy: Strategy | None = None
    port: PortNumber | None = None
    protocol: dict[PortNumber, Spoken] | Spoken | None = None
    readiness: ReadinessModel | None = None
    drain: DrainModel | None = None
    access_mode: AccessMode = AccessMode.PUBLIC
    auto_rollback: AutoRollbackModel | None = None

    @model_validator(mode="before")
    @classmethod
    def _refuse_others(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            raise broken_rule(f"must be a mapping, not {describe(data)}")
        return data


def extension_from(document: Document) -> tuple[Extension | None, list[Problem]]:
    """Return a block; None if something is wrong with it."""
    # What came from a variable is text.
    model, problems = validate(ExtensionModel, document, is_text=True)
    if model is None:
        return None, problems
    if isinstance(model.protocol, str) and model.port is None:
        hint = "add port, or write it for each port, such as protocol: {3000: http}"
        return None, [document.problem(("protocol",), "it is not said of which port", hint=hint)]
    return Extension(
        ServiceKind(model.kind) if model.kind else None,
        model.strategy,
        model.port,
        _protocols(model),
        readiness(model.readiness),
        drain(model.drain),
        model.access_mode,
        auto_rollback(model.auto_rollback),
    ), problems


def _protocols(model: ExtensionModel) -> dict[int, Protocol]:
    said = model.protocol or {}
    if isinstance(said, str):
        said = {model.port: said} if model.port else {}
    return {number: Protocol(word) for number, word in said.items()}
