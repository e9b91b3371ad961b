"""The error tree.

CompartmentError
├── ConfigError          a project file is wrong: the user edits it
├── UsageError           the request itself makes no sense
├── NotFound             no such project, environment, service, deployment or run
├── Conflict             it cannot be done in the present state
│   └── TargetBusy       another run holds this project and environment
├── Unreachable          agent, engine or gateway cannot be reached or started
│   ├── AgentUnavailable
│   ├── EngineUnavailable
│   └── GatewayUnavailable
├── RunFailed            a run ended without success; what was live still serves
├── JournalError         the journal cannot be read or written
│   └── JournalDamaged   what it holds is not what was written
└── InternalError        our own bug

Every error carries one line that says what is wrong and one that says how to mend it. `code`
travels over the wire; where a class covers several cases, the instance has a narrower one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.model import Problem


class CompartmentError(Exception):
    """What every error of the core is; `hint` says how to mend it."""

    code: str = "failed"

    def __init__(self, message: str, *, hint: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code is not None:
            self.code = code


class ConfigError(CompartmentError):
    """One or more problems in project files, all reported together."""

    code = "invalid_deploy_config"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        code: str | None = None,
        problems: Sequence[Problem] = (),
    ) -> None:
        super().__init__(message, hint=hint, code=code)
        self.problems = tuple(problems)


class UsageError(CompartmentError):
    """The command or request makes no sense as it stands."""

    code = "usage"


class NotFound(CompartmentError):
    """What was named does not exist."""

    code = "not_found"


class Conflict(CompartmentError):
    """It exists, but its present state forbids what was asked."""

    code = "conflict"


class TargetBusy(Conflict):
    """Another run holds the project and environment, and the wait is over."""

    code = "deployment_target_busy"


class Unreachable(CompartmentError):
    """Something that must run does not."""

    code = "unreachable"


class AgentUnavailable(Unreachable):
    """The agent does not answer and could not be started."""

    code = "agent_unavailable"


class EngineUnavailable(Unreachable):
    """The engine that this environment needs is not there."""

    code = "engine_unavailable"


class GatewayUnavailable(Unreachable):
    """Envoy cannot be started, or does not answer, or refused an update."""

    code = "gateway_unavailable"


class RunFailed(CompartmentError):
    """A run ended without success before the switch; what was live still serves."""

    code = "run_failed"


class JournalError(CompartmentError):
    """The journal cannot be read or written."""

    code = "journal_error"


class JournalDamaged(JournalError):
    """The journal does not hold what was written to it: it has to be made anew."""

    code = "journal_damaged"


class InternalError(CompartmentError):
    """A bug of ours."""

    code = "internal_error"
