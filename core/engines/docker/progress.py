"""What the engine's own builder says, as lines for a reader: steps and output, no machinery."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from core.engines.docker import labels
from core.lines import LineSplitter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

_STEP = re.compile(r"Step (?P<number>\d+)/(?P<all>\d+) : (?P<instruction>.*)")
_LAYER = re.compile(r" ---> (?P<id>[0-9a-f]{12})")
_MACHINERY = re.compile(r" ---> |Removing intermediate container |Successfully (built|tagged) |$")
_OURS = f"LABEL {labels.ARTIFACT}="
_ERROR_COLOUR = re.compile(r"\x1b\[91m(.*)\x1b\[0m", re.DOTALL)


class Progress:
    """Hears the messages of a build or a pull; `steps` is how many its Dockerfile has."""

    def __init__(self, steps: int, say: Callable[[str], None]) -> None:
        self.step = 0
        """The step of the Dockerfile that was begun last, counted from 1."""
        self.layers = set[str]()
        """The beginnings of the ids of all images that it went through."""
        self.error: str | None = None
        self.is_done = False
        self._steps = steps
        self._say = say
        self._heard = 0
        """All steps that were begun, also those for our labels."""
        self._held = ""
        """A step that is not said yet, since the next line tells whether it is cached."""
        self._lines = LineSplitter()
        self._pulled = dict[str, bool]()

    def hear(self, message: dict[str, Any]) -> None:
        """Takes one message."""
        if "stream" in message:
            text = str(message["stream"])
            coloured = _ERROR_COLOUR.fullmatch(text)
            for line in self._lines.feed((coloured[1] if coloured else text).encode()):
                self._hear_line(line)
        elif "errorDetail" in message:
            self.end()
            self.error = str(message["errorDetail"].get("message", "it says no reason"))
        elif "aux" in message:
            self.is_done = self.is_done or "ID" in message["aux"]
        elif "status" in message:
            self._hear_pull(str(message["status"]), message.get("id", ""))

    def end(self) -> None:
        """Says what was held back."""
        self._tell("")
        for line in self._lines.flush():
            self._hear_line(line)

    def _hear_line(self, line: str) -> None:
        begun = _STEP.fullmatch(line)
        if begun and int(begun["number"]) == self._heard + 1:
            self._tell("")
            self._heard += 1
            if not begun["instruction"].startswith(_OURS):
                self.step += 1
                self._held = f"[{self.step}/{self._steps}] {begun['instruction']}"
        elif line == " ---> Using cache":
            self._tell(" (cached)")
        else:
            self._tell("")
            if layer := _LAYER.match(line):
                self.layers.add(layer["id"])
            if not _MACHINERY.match(line):
                self._say(line)

    def _hear_pull(self, status: str, identity: str) -> None:
        self._tell("")
        if status.startswith("Pulling from "):
            self._pulled.clear()
            self._say(f"pulling {status.removeprefix('Pulling from ')}:{identity}")
        elif status == "Pulling fs layer":
            self._pulled[identity] = False
        elif status == "Pull complete":
            self._pulled[identity] = True
            self._say(f"pulled layer {sum(self._pulled.values())} of {len(self._pulled)}")

    def _tell(self, more: str) -> None:
        if self._held:
            self._say(self._held + more)
            self._held = ""


async def messages(answer: AsyncIterator[bytes]) -> AsyncIterator[dict[str, Any]]:
    """The messages in what the engine sends, one a line."""
    rest = b""
    async for chunk in answer:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.strip():
                yield json.loads(line)
