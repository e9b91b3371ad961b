"""The variables of services as commands that set them; what looks secret is asked for."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from core.config.patterns import RESERVED_VARIABLES, VARIABLE_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.model import Service

_SECRET_NAME = re.compile(r"(?i)pass|pwd|secret|token|key|credential|private|auth|dsn|cookie|salt")
_SECRET_VALUE = re.compile(r"://[^/@\s]*:[^/@\s]+@")


def variable_commands(service: Service) -> Iterator[str]:
    """Yield a command for each variable of a service, never with the value of a secret."""
    environment = service.container.environment if service.container else {}
    for name, value in environment.items():
        if not re.fullmatch(VARIABLE_KEY, name) or name.startswith(RESERVED_VARIABLES):
            continue
        is_secret = _SECRET_NAME.search(name) or _SECRET_VALUE.search(value)
        said = "--sensitive" if is_secret else shlex.quote(value)
        yield f"compartment variable set {name} {said} --service {service.name}"
