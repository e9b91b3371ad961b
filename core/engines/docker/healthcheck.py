"""The check of a container, in the engine's words and from them."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, Final

from core.engines.base import OwnCheck

if TYPE_CHECKING:
    from core.container import Healthcheck

Json = dict[str, Any]

_SHELL: Final = ("/bin/sh", "-c")
"""What the engine runs a line with, unless the image names another one (docker SHELL)."""

_IN_SHELL: Final = "CMD-SHELL"
_NONE: Final = "NONE"
_NANOSECONDS: Final = 1_000_000_000
_INTERVAL_S: Final = 30.0
_TIMEOUT_S: Final = 30.0
_RETRIES: Final = 3
"""The engine's defaults (Dockerfile reference, HEALTHCHECK)."""


def body_of(check: Healthcheck, *, has_start_interval: bool) -> Json:
    """What the engine is told; what it is not told comes from the image.

    It takes `start_interval` from API 1.44 on.
    """
    times = {
        "Interval": check.interval_s,
        "Timeout": check.timeout_s,
        "StartPeriod": check.start_period_s,
        "StartInterval": check.start_interval_s if has_start_interval else None,
    }
    return {
        "Test": list(check.test),
        **{name: round(s * _NANOSECONDS) for name, s in times.items() if s is not None},
        **({} if check.retries is None else {"Retries": check.retries}),
    }


def own_check(config: Json) -> OwnCheck | None:
    """The check of a container, given its configuration, which has that of its image in it."""
    said: Json = config.get("Healthcheck") or {}
    test: list[str] = said.get("Test") or []
    if len(test) < 2 or test[0] == _NONE:
        return None
    return OwnCheck(
        what=test[1] if test[0] == _IN_SHELL else shlex.join(test[1:]),
        interval_s=_seconds(said, "Interval") or _INTERVAL_S,
        timeout_s=_seconds(said, "Timeout") or _TIMEOUT_S,
        retries=said.get("Retries") or _RETRIES,
        start_period_s=_seconds(said, "StartPeriod"),
    )


def argv_of(config: Json) -> list[str]:
    """What the engine runs for the check of a container that has one."""
    kind, *command = config["Healthcheck"]["Test"]
    if kind == _IN_SHELL:
        return [*(config.get("Shell") or _SHELL), *command]
    return list(command)


def _seconds(said: Json, name: str) -> float:
    return (said.get(name) or 0) / _NANOSECONDS
