"""Where a command's words go: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import os
import sys
import traceback
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from core.agent.protocol import error_to_json
from core.cli.text import plain, plain_lines
from core.errors import CompartmentError, ConfigError
from core.lines import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TextIO


class Form(StrEnum):
    """How results are written."""

    TEXT = "text"
    JSON = "json"
    """One document, at the end."""
    JSONL = "jsonl"
    """One event a line, as they happen."""


class Output:
    """What one command says."""

    def __init__(self, form: Form = Form.TEXT, *, verbose: bool = False) -> None:
        self.form = form
        self.verbose = verbose
        self.has_colour = form is Form.TEXT and _shows_colour(sys.stdout)
        """Whether colours may be used on standard output."""

    def answer(self, document: Any, text: Callable[[], Iterable[str]]) -> None:
        """The result of the command, in the form that was asked for."""
        if self.form is Form.TEXT:
            self.lines(text())
        elif self.form is Form.JSON:
            print(json.dumps(document, indent=2))

    def lines(self, lines: Iterable[str]) -> None:
        """Lines of a result in text form; whoever wrote them, they steer no terminal."""
        safe = clean if self.has_colour else plain
        for line in lines:
            for part in line.split("\n"):
                print(safe(part))

    def event(self, event: Any) -> None:
        """One event, written at once, where events were asked for."""
        if self.form is Form.JSONL:
            print(json.dumps(event), flush=True)

    def progress(self, text: str) -> None:
        """A line about what is going on, or several."""
        _tell("\n".join(plain_lines(text)))

    def error(self, error: CompartmentError) -> None:
        """What went wrong and how to mend it: for people, and for programs that read documents."""
        if self.verbose:
            self.progress("".join(traceback.format_exception(error)).rstrip())
        self.failure(error.message, error.hint, error)
        if self.form is not Form.TEXT:
            document = {"error": error_to_json(error), "failureMessage": error.message}
            print(json.dumps(document, indent=2 if self.form is Form.JSON else None))

    def failure(
        self, message: str, hint: str | None = None, error: CompartmentError | None = None
    ) -> None:
        """`error: ...`, then where in the project files, then the hint."""
        word = "\x1b[31merror:\x1b[0m" if _shows_colour(sys.stderr) else "error:"
        first, *more = plain_lines(message)
        _tell(f"{word} {first}")
        for line in more:
            self.progress(f"  {line}")
        if isinstance(error, ConfigError):
            for problem in error.problems:
                self.progress(plain(str(problem)))
        if hint:
            self.progress(f"  {plain(hint)}")


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _shows_colour(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def prepare_streams() -> None:
    """Makes standard output and error such that printing to them never fails by itself."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it was closed before we started
            setattr(sys, name, open(os.devnull, "w"))  # noqa: PTH123, SIM115 - kept until the end
        getattr(sys, name).reconfigure(errors="backslashreplace", line_buffering=True)


def silence() -> None:
    """Lets what is still buffered go nowhere, so that the interpreter's last flush is quiet."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
