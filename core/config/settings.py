"""The settings of the program: a file, and variables that win over it.

They are the agent's, which reads them once, when it starts.
"""

from __future__ import annotations

import ipaddress
import os
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field

from core.config.document import Document, describe
from core.config.failure import config_error
from core.config.fields import StrictModel, broken_rule
from core.config.notifications import Notification
from core.config.patterns import DOMAIN, HTTPS_ADDRESS, MAIL_ADDRESS, RESERVED_VARIABLES
from core.config.problems import validate
from core.config.reading import read_file
from core.config.toml import read_toml
from core.model import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE_VARIABLE: Final = "COMPARTMENT_CONFIG"
"""Names the file, which must then be there."""


def _address(text: str) -> str:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        hint = "use one such as 127.0.0.1, or 0.0.0.0 for all of this machine"
        raise broken_rule(f"must be an IP address, not {describe(text)}", hint=hint) from None
    return text


def _absolute(text: str) -> str:
    if not Path(text).is_absolute() or "\0" in text:
        hint = "the agent runs in another folder than you"
        raise broken_rule(f"must be an absolute path, not {describe(text)}", hint=hint)
    return text


LISTENER_SETTINGS: Final = ("port", "internal_port", "https_port", "host")
"""Where the gateway listens; the same can be said when an agent is started."""

LETS_ENCRYPT: Final = "https://acme-v02.api.letsencrypt.org/directory"

_PORT_WORDS: Final = {
    "port": "the public",
    "internal_port": "the internal",
    "https_port": "the TLS",
}

Port = Annotated[int, Field(ge=0, le=65_535)]


class Settings(StrictModel):
    """Every setting there is, by its name in the file; `docs/configuration.md` has the same table.

    The variable of a setting is its name in capitals after `COMPARTMENT_`; a list of tables has
    none. What is None was not
    set: the listeners then stay as they are.
    """

    model_config = ConfigDict(frozen=True, alias_generator=None)

    port: Port | None = Field(
        None, description="the public port, which serves `web`; 0 takes any free one"
    )
    internal_port: Port | None = Field(
        None, description="the internal port, which serves `web` and `api`; 0 takes any free one"
    )
    https_port: Port | None = Field(
        None,
        description="the port for TLS, which serves domains with a certificate; 0 takes any free "
        "one; without it there is no TLS",
    )
    host: Annotated[str, AfterValidator(_address)] | None = Field(
        None,
        description="the address of the public listener and of that for TLS; `0.0.0.0` opens them "
        "to other machines",
    )
    base_domain: Annotated[str, Field(pattern=DOMAIN)] = Field(
        "localhost", description="what host names end in that are given out from now on"
    )
    acme_webroot: Annotated[str, AfterValidator(_absolute)] | None = Field(
        None,
        description="a folder in which others, such as certbot, put answers to the challenges for "
        "certificates of domains",
    )
    acme_directory: Annotated[str, Field(pattern=HTTPS_ADDRESS)] = Field(
        LETS_ENCRYPT, description="where `domain add --acme` gets certificates from"
    )
    acme_email: Annotated[str, Field(pattern=MAIL_ADDRESS)] | None = Field(
        None, description="whom that authority may write to"
    )
    acme_ca_file: Annotated[str, AfterValidator(_absolute)] | None = Field(
        None,
        description="what to trust when speaking to that authority, in PEM, instead of the usual",
    )
    engine: Literal["auto", "process", "docker"] = Field(
        "auto",
        description="where an environment is deployed to for the first time without `--engine`: "
        "`auto` (Docker if one answers, else processes), `process` or `docker`",
    )
    source_limit_mb: int = Field(
        500,
        ge=1,
        le=100_000,
        description="how many megabytes a source may be that is sent with `deploy --host`",
    )
    keep_releases: int = Field(
        5,
        ge=1,
        le=1_000,
        description="how many succeeded deployments of each service stay ready for a rollback",
    )
    keep_history: int = Field(
        1_000,
        ge=10,
        le=1_000_000,
        description="how many of the newest runs of each environment are known at least, with "
        "their deployments and events; what is live or stays ready for a rollback is always known",
    )
    keep_logs: int = Field(
        100,
        ge=1,
        le=1_000_000,
        description="of how many of the newest runs of each environment the logs are kept; those "
        "of what is live or stays ready for a rollback always are",
    )
    concurrent_builds: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        le=256,
        description="how many builds run at the same time",
    )
    gateway_workers: int = Field(
        1,
        ge=1,
        le=256,
        description="how many threads Envoy serves with, from its next start on; each takes up new "
        "routes by itself, within milliseconds",
    )
    stop_grace_seconds: float = Field(
        10,
        ge=0,
        le=3_600,
        description="what an instance gets between SIGTERM and SIGKILL, once it is drained",
    )
    notifications: list[Notification] = Field(
        default_factory=list, description="who is told of what, see Notifications"
    )


BY_VARIABLE: Final = tuple(name for name in Settings.model_fields if name != "notifications")
"""The settings that a variable may say, too."""


def settings_file(environ: Mapping[str, str]) -> Path:
    """Return where the settings file is, or would be."""
    named = environ.get(FILE_VARIABLE)
    if named:
        return Path(named).absolute()
    import platformdirs

    return Path(platformdirs.user_config_dir("compartment")) / "config.toml"


def variable_of(name: str) -> str:
    """Return the variable that wins over a setting of the file."""
    return f"{RESERVED_VARIABLES}{name.upper()}"


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Return the settings of the file, else the usual ones, with those of variables over them.

    Raises:
        ConfigError: Something is wrong; its `problems` are all of them, variables included.
    """
    file = settings_file(environ)
    is_named = bool(environ.get(FILE_VARIABLE))
    written = Document(str(file), {})
    if is_named or os.path.lexists(file):
        written = read_file(file, str(file), read_toml)
    settings, problems = validate(Settings, written)
    given, wrong = _variables(environ)
    problems += wrong
    if settings is None or problems:
        raise config_error(problems)
    settings = settings.model_copy(update=given)
    twice = _same_port(settings, written, given)
    if twice is not None:
        raise config_error([twice])
    return settings


def _variables(environ: Mapping[str, str]) -> tuple[dict[str, Any], list[Problem]]:
    """What variables say, by the names of the settings; an empty one says nothing."""
    given: dict[str, Any] = {}
    problems: list[Problem] = []
    for name in BY_VARIABLE:
        variable = variable_of(name)
        text = environ.get(variable)
        if not text:
            continue
        said, wrong = validate(Settings, Document(variable, {name: text}), is_text=True)
        problems += [replace(problem, line=0, column=0) for problem in wrong]
        if said is not None:
            given[name] = getattr(said, name)
    return given, problems


def _same_port(settings: Settings, written: Document, given: Mapping[str, Any]) -> Problem | None:
    for name, other in combinations(_PORT_WORDS, 2):
        port = getattr(settings, name)
        if not port or port != getattr(settings, other):
            continue
        words = f"{_PORT_WORDS[name]} and {_PORT_WORDS[other]}"
        message = f"port {port} cannot be both {words} one"
        for each in (other, name):
            if each in given:
                return Problem(variable_of(each), 0, 0, message)
        return written.problem((other,), message)
    return None
