"""A shell in the container of an instance, through the command line of Docker."""

from __future__ import annotations

import os
import shutil
from typing import Final

from core.engines.base import Shell
from core.errors import NotFound

_BEST_SHELL: Final = "command -v bash >/dev/null && exec bash || exec sh"


def shell_in(container_id: str, socket: str) -> Shell:
    """How it is started.

    Raises:
        NotFound: the `docker` command is not installed.
    """
    program = shutil.which("docker")
    if program is None:
        raise NotFound(
            "a shell in a container needs the `docker` command, which is not installed",
            hint="install Docker's command line client",
        )
    argv = (program, "exec", "-it", container_id, "sh", "-c", _BEST_SHELL)
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return Shell(argv, "/", {**kept, "DOCKER_HOST": f"unix://{socket}"})
