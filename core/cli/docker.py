"""What `doctor` looks at of the Docker Engine: without an agent, because none may run."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

from core.cli.checks import Check, Level
from core.cli.ports import read_only
from core.engines.docker.endpoint import find, known
from core.errors import EngineUnavailable
from core.model import EngineName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.engines.docker.endpoint import Endpoint
    from core.files import Home

_NAME = "docker"
_BUILDX_TIMEOUT_S = 5.0


def docker_checks(home: Home, environ: Mapping[str, str]) -> list[Check]:
    """Whether an engine can be used, and what it offers; without one services are processes."""
    needed = _needed(home)
    try:
        found = known(needed) if needed else find(environ)
    except EngineUnavailable as error:
        if needed:
            return [Check(_NAME, Level.FAIL, error.message, error.hint, is_reachability=True)]
        told = f"{error.message}; services run as processes"
        return [Check(_NAME, Level.WARNING, told, error.hint)]
    return [_engine(found), _builder(environ)]


def _needed(home: Home) -> str | None:
    """The socket of the engine that an environment lives on; None where none does."""
    if not home.journal.exists():
        return None
    try:
        with closing(read_only(home)) as journal:
            row = journal.execute(
                "SELECT value FROM settings WHERE name = 'docker' AND EXISTS"
                " (SELECT 1 FROM environments WHERE json_extract(body, '$.engine') = ?)",
                (EngineName.DOCKER,),
            ).fetchone()
    except sqlite3.Error:
        # Its own check says what is wrong with a journal.
        return None
    return str(row[0]).split(" ", 2)[2] if row else None


def _engine(found: Endpoint) -> Check:
    told = f"engine {found.version} at {found.socket}, {found.because}"
    if found.mode.cost is None:
        return Check(_NAME, Level.OK, f"{told}; the name of a service keeps its address")
    mend = "only as root, with an engine of this machine itself, names keep their address"
    return Check(_NAME, Level.WARNING, f"{told}; {found.mode.cost}", mend)


def _builder(environ: Mapping[str, str]) -> Check:
    name = "docker build"
    try:
        told = subprocess.run(
            ["docker", "buildx", "version"],
            capture_output=True, text=True, timeout=_BUILDX_TIMEOUT_S, check=True, env=environ,
        ).stdout.split()  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return Check(
            name, Level.WARNING,
            "the engine's own builder: what only BuildKit knows, such as RUN --mount, fails",
            "install the docker command with its buildx plugin",
        )  # fmt: skip
    return Check(name, Level.OK, f"BuildKit, through buildx {told[1] if told[1:] else ''}".rstrip())
