"""Live traffic for as long as a block lasts, and what was lost of it."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from core.errors import CompartmentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui.demo.example import Example

_PATIENCE_S: Final = 10.0
_END_TIMEOUT_S: Final = 15.0
"""More than a request may take."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What has become of the requests."""

    sent: int = 0
    lost: Mapping[str, int] = field(default_factory=dict)
    """How many, by the reason."""
    answered_by: Mapping[str, int] = field(default_factory=dict)
    """How many, by the version that answered."""

    def __str__(self) -> str:
        versions = ", ".join(f"{count} by {name}" for name, count in self.answered_by.items())
        reasons = "".join(f", {count} x {reason}" for reason, count in self.lost.items())
        return (
            f"{self.sent} requests sent, {sum(self.lost.values())} lost{reasons};"
            f" answered {versions or 'by none'}"
        )


class Traffic:
    """Visitors of an example, from entering the block to leaving it."""

    def __init__(
        self, example: Example, address: str, per_s: float, *, patience_s: float = _PATIENCE_S
    ) -> None:
        program = [sys.executable, "-P", "-m", "tui.demo.visitors"]
        self._command = [*program, str(per_s), address, example.host, *example.paths]
        self._patience_s = patience_s
        self.counts = Counts()
        """Known when the block has been left."""

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            # Ctrl-c is for the dashboard and for commands.
            start_new_session=True,
        )
        try:
            self._wait_until_ready()
        except BaseException:
            self.process.kill()
            self.process.communicate()
            raise
        return self

    def _wait_until_ready(self) -> None:
        assert self.process.stdout is not None
        is_told = select.select([self.process.stdout], [], [], self._patience_s)[0]
        if not is_told or self.process.stdout.readline() != "ready\n":
            raise CompartmentError("the demo's visitors get no answer")

    def __exit__(self, *_: object) -> None:
        try:
            said = self.process.communicate(timeout=_END_TIMEOUT_S)[0]
        except subprocess.TimeoutExpired:
            self.process.kill()
            said = self.process.communicate()[0]
        if said:
            found = json.loads(said)
            self.counts = Counts(found["sent"], found["lost"], found["answeredBy"])
        else:
            self.counts = Counts(lost={"visitors that ended early": 1})
