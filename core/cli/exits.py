"""The exit codes, which scripts rely on, and how errors and runs lead to them."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any

from core.errors import (
    CompartmentError,
    ConfigError,
    NotFound,
    TargetBusy,
    Unreachable,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVICE_NOT_IN_PROJECT = "descriptor_service_not_found"


class Exit(IntEnum):
    """What the program ends with."""

    DONE = 0
    FAILED = 1
    """Everything that was live still serves."""
    USAGE = 2
    """The command line or a project file is wrong."""
    BUSY = 3
    """Another run holds the project and environment, and the wait is over."""
    UNREACHABLE = 4
    """Agent, engine or gateway."""
    REQUESTS_CUT = 5
    """Done, but requests were cut at the drain limit."""
    NOT_SERVING = 6
    """Failed, and a service that cannot run beside its successor did not come back."""
    HANGUP = 129
    """The terminal is gone; a run that it followed goes on."""
    INTERRUPTED = 130
    CLOSED_PIPE = 141
    """Nobody reads the output any more; a run that it told of goes on."""
    TERMINATED = 143


def of_error(error: CompartmentError) -> Exit:
    """The code of a command that ended with an error."""
    if isinstance(error, ConfigError | UsageError):
        return Exit.USAGE
    if isinstance(error, NotFound) and error.code == SERVICE_NOT_IN_PROJECT:
        return Exit.USAGE
    if isinstance(error, TargetBusy):
        return Exit.BUSY
    if isinstance(error, Unreachable):
        return Exit.UNREACHABLE
    return Exit.FAILED


_UNREACHABLE = ("agent_unavailable", "engine_unavailable", "gateway_unavailable", Unreachable.code)


def of_run(run: Mapping[str, Any]) -> Exit:
    """The code of a command whose run has ended; `run` as the agent tells of it."""
    if run["status"] == "succeeded":
        return Exit.REQUESTS_CUT if run["cutRequests"] else Exit.DONE
    if run["notServing"]:
        return Exit.NOT_SERVING
    if run["failureCode"] == TargetBusy.code:
        return Exit.BUSY
    return Exit.UNREACHABLE if run["failureCode"] in _UNREACHABLE else Exit.FAILED
