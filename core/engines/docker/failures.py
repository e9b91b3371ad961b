"""Why a build failed, in words that say where and what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import CompartmentError

if TYPE_CHECKING:
    from core.engines.docker.instructions import Base, Instruction

_EXIT_CODE = re.compile(r"(?:returned a non-zero code|exit code): (?P<code>\d+)")
_NO_IMAGE = re.compile(
    r"invalid from flag value|load metadata for|pull access denied|manifest|failed to resolve"
)
_NO_FILE = re.compile(r"file not found in build context|no source files|compute cache key")
_NEEDS_BUILDKIT = re.compile(r"requires BuildKit|unknown flag: ")
_HINTS = {
    137: "it was killed: see whether the machine is out of memory",
    127: "a program that it calls is not in the image",
    126: "it may not execute a file",
}
_SHOWN = 120


@dataclass(frozen=True, slots=True)
class Failure:
    """What a builder said at the end, and the instruction that it was at, if that is known."""

    reason: str
    instruction: Instruction | None
    bases: list[Base]
    doing: str = ""
    """What the builder did meanwhile, in its own words."""

    def explained(self) -> CompartmentError:
        """The failure as an error."""
        reason, where = " ".join(self.reason.split()), self._where
        if exit_code := _EXIT_CODE.search(reason):
            code = int(exit_code["code"])
            message = f"the build ended with exit code {code}{where and f' in {where}'}"
            return CompartmentError(message, hint=_HINTS.get(code))
        if (base := self._missing(reason)) is not None:
            return CompartmentError(
                f"the image {base.image} (Dockerfile, line {base.line}) is not on the Docker Engine"
                f" and cannot be pulled: {reason}",
                hint=f"correct its name, or see why `docker pull {base.image}` fails",
            )
        message = f"{where}: {reason}" if where else reason
        return CompartmentError(message, hint=_hint(reason))

    @property
    def _where(self) -> str:
        if self.instruction is None:
            return ""
        text = f"{self.instruction.name} {self.instruction.rest}"
        text = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
        return f"line {self.instruction.line} of the Dockerfile: {text}"

    def _missing(self, reason: str) -> Base | None:
        """The image that is not there, if that is what is wrong."""
        said = f"{reason} {self.doing}"
        is_from = self.instruction is not None and self.instruction.name == "FROM"
        if not is_from and not _NO_IMAGE.search(said):
            return None
        at = self.instruction.line if self.instruction else None
        found = [base for base in self.bases if base.line == at or base.image in said]
        return found[0] if found else None


def _hint(reason: str) -> str:
    if _NEEDS_BUILDKIT.search(reason):
        return "this Dockerfile needs BuildKit: install docker's buildx plugin"
    if "no space left on device" in reason:
        return "free some disk space, for instance with `docker system prune`"
    if _NO_FILE.search(reason):
        return "correct the path, and see what .dockerignore leaves out"
    return "correct the Dockerfile"
