"""What the lab is told to do: one field per `LAB_` variable, named in lower case here."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

TERM_MODES = ("graceful", "instant", "ignore")


class WrongSetting(Exception):
    """A `LAB_` variable that does not exist, or whose value makes no sense."""


@dataclass(frozen=True)
class Settings:
    """Nothing set: a service that behaves."""

    boot_delay_ms: int | None = None
    """Starts to listen only after this long."""
    exit_at_start: int | None = None
    """Exits at once with this code."""
    crash_after_ms: int | None = None
    """Dies of an exception this long after its start."""
    listen_port: int | None = None
    """Listens here rather than on PORT."""
    bind: str = ""
    """Listens on this address rather than on HOST."""
    never_ready: int | None = None
    """1: `/up` answers 503 for ever."""
    ready_status: int | None = None
    """`/up` answers with this status."""
    flap: int | None = None
    """1: `/up` answers 503 and 200 in turn."""
    fail_ready_after_ms: int | None = None
    """`/up` answers 500 from this long after the start on."""
    term_mode: str = "graceful"
    """On SIGTERM: finish what is under way, exit in the middle of it, or carry on regardless."""
    spam_lines_per_s: int | None = None
    """Prints this many lines a second, in turn on stdout and stderr."""
    access_log: str = ""
    """One line of JSON per request that carries an id, and per event: to this file, or to the
    listener at `tcp://HOST:PORT`."""
    version: str = ""
    """The version to name in replies; by default what the file VERSION says."""


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read the `LAB_` variables.

    Raises:
        WrongSetting: One of them is unknown or has a wrong value.
    """
    known = {f"LAB_{field.name.upper()}": field for field in fields(Settings)}
    values = {}
    for variable in environment:
        # Such as LAB_API_URL: where the service lab-api is reached.
        if not variable.startswith("LAB_") or variable.endswith("_URL"):
            continue
        if variable not in known:
            raise WrongSetting(f"{variable} is unknown; there are {', '.join(known)}")
        field, value = known[variable], environment[variable]
        if field.default is not None:
            values[field.name] = value
        elif value.isdecimal():
            values[field.name] = int(value)
        else:
            raise WrongSetting(f"{variable} must be a whole number, not {value!r}")
    settings = Settings(**values)
    if settings.term_mode not in TERM_MODES:
        raise WrongSetting(f"LAB_TERM_MODE must be one of {', '.join(TERM_MODES)}")
    return settings


def read_version(settings: Settings) -> str:
    """Say which version this is."""
    if settings.version:
        return settings.version
    return Path(__file__).with_name("VERSION").read_text(encoding="utf-8").strip()
