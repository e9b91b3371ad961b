"""What BuildKit says with `--progress plain`, as lines for a reader."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from core.engines.docker.instructions import Instruction, instructions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_VERTEX = re.compile(r"#(?P<number>\d+) (?P<text>.*)")
_STEP = re.compile(r"(?P<place>\[(?:\S+ )?\d+/\d+\]) (?P<instruction>.*)")
_PRINTED = re.compile(r"\d+\.\d+ (?P<text>.*)")
_DONE = re.compile(r"(?<!\s)#\d+ DONE [\d.]+s$")
_LAST_WORD = re.compile(r"(?:ERROR: |error: )?(?P<reason>(?:failed to|executor failed) .*)")
_FAILED = re.compile(r" > (?P<text>.*?):?")
_FAILED_LINE = re.compile(r"Dockerfile:(?P<line>\d+)")


class Plain:
    """Hears the lines of one build.

    The values of `arguments` are not said where BuildKit has put them into the text of a step.
    """

    def __init__(
        self, dockerfile: str, arguments: Mapping[str, str], say: Callable[[str], None]
    ) -> None:
        self.reason = "it says no reason"
        """The last word of a build that failed."""
        self.failed = ""
        """What was being done when it failed."""
        self._instructions = list(instructions(dockerfile))
        self._arguments = arguments
        self._say = say
        self._steps = dict[str, str]()
        self._failed_line: int | None = None
        self._is_over = False

    @property
    def instruction(self) -> Instruction | None:
        """The instruction that failed, if it is known."""
        for each in self._instructions:
            text = f"{each.name} {each.rest}"
            if self._failed_line is not None:
                if each.line <= self._failed_line <= each.last_line:
                    return each
            elif self._without_values(text) == self.failed.partition("] ")[2]:
                return each
        return None

    def hear(self, line: str) -> None:
        """Takes one line."""
        if line.startswith("------"):
            self._is_over = True
        if (word := _LAST_WORD.fullmatch(line)) is not None:
            self.reason = word["reason"]
        elif not self._is_over and (vertex := _VERTEX.fullmatch(line)):
            self._hear_vertex(vertex["number"], vertex["text"])
        elif failed := _FAILED.fullmatch(line):
            self.failed = self._without_values(failed["text"])
        elif failed := _FAILED_LINE.fullmatch(line):
            self._failed_line = int(failed["line"])

    def _hear_vertex(self, number: str, text: str) -> None:
        if step := _STEP.fullmatch(text):
            self._steps[number] = step["place"]
            self._say(self._without_values(text))
        elif text == "CACHED" and number in self._steps:
            self._say(f"{self._steps[number]} cached")
        elif printed := _PRINTED.fullmatch(_DONE.sub("", text)):
            self._say(printed["text"])

    def _without_values(self, text: str) -> str:
        for name, value in self._arguments.items():
            if value:
                text = text.replace(f"${{{name}}}", f"${name}").replace(value, f"${name}")
        return " ".join(text.split())
