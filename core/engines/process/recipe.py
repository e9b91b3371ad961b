"""What is made of a source: the build, the command that runs it, and the name of the result."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.engines.source.build import TIMEOUT_S, run_build
from core.engines.source.detect import Detected, NothingToRun, detect_command
from core.errors import CompartmentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from core.model import ServiceKind


@dataclass(frozen=True, slots=True)
class Recipe:
    """What becomes of a source, besides its content.

    `build_variables` are what the project says the build sees; they belong to the artifact's
    identity. `environment` is the rest of it (PATH and the like) and does not. With a `run_command`
    nothing is detected.
    """

    service_name: str
    kind: ServiceKind
    build_command: str | None = None
    build_variables: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    run_command: str | None = None
    salt: str = ""
    """Something that was never there before makes an artifact that was not either."""
    timeout_s: float = TIMEOUT_S


def artifact_id(source_digest: str, recipe: Recipe, detected: Detected | None) -> str:
    """The same id for the same content, `art_` and 20 hexadecimal digits.

    What was detected before the build is part of it, since two services may be run differently from
    the same files; a `run_command` is not, it does not change what is built.
    """
    command = detected.command if detected else None
    variables = sorted(recipe.build_variables.items())
    parts = json.dumps([source_digest, recipe.build_command, variables, command, recipe.salt])
    return "art_" + hashlib.sha256(parts.encode()).hexdigest()[:20]


def detect_before_build(folder: Path, recipe: Recipe) -> Detected | None:
    """How the source is run; None where the project file says it, or only the build can tell.

    Raises:
        ConfigError: Nothing says how, and there is no build that could make it.
    """
    if recipe.run_command is not None:
        return None
    try:
        return detect_command(folder, recipe.service_name, recipe.kind)
    except NothingToRun:
        if recipe.build_command is None:
            raise
        return None


async def build_in_place(
    folder: Path, recipe: Recipe, detected: Detected | None, on_line: Callable[[str], None]
) -> Detected | None:
    """Builds in the copy, and says how it is run, if nothing had said so before.

    Raises:
        CompartmentError: The build failed.
        ConfigError: It succeeded, but made nothing that could be run.
    """
    if recipe.build_command is not None:
        environment = {**recipe.environment, **recipe.build_variables}
        result = await run_build(
            recipe.build_command, folder, environment, on_line, recipe.timeout_s
        )
        if not result.is_success:
            raise CompartmentError(str(result), hint="see what the build said")
    if detected is None and recipe.run_command is None:
        return detect_command(folder, recipe.service_name, recipe.kind)
    return detected
