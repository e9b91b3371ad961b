"""The entry point, and the one place where errors turn into words and exit codes."""

from __future__ import annotations

import signal
import sys
from contextlib import nullcontext
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

from core.cli import exits
from core.cli.exits import Exit
from core.cli.output import Form, Output, prepare_streams, silence
from core.cli.parser import guess_output, parse
from core.errors import CompartmentError, InternalError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from core.remote.server import Server


def run() -> int:
    """Entry point of `compartment`."""
    return main(sys.argv[1:], "compartment")


def main(arguments: Sequence[str], program: str) -> int:
    """Runs one command and returns its exit code; whatever goes wrong, it has been said."""
    prepare_streams()
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminate)
    try:
        return _said(arguments, program)
    except BrokenPipeError:
        silence()
        return Exit.CLOSED_PIPE


def _terminate(*_: object) -> NoReturn:
    raise SystemExit(Exit.TERMINATED)


def _said(arguments: Sequence[str], program: str) -> int:
    output = guess_output(arguments)
    try:
        parsed = parse(arguments, program)
        output = Output(Form(parsed.output), verbose=parsed.verbose)
        module, _, name = parsed.handler.partition(":")
        with _asked_at(parsed.server):
            code: int = getattr(import_module(f"core.cli.{module}"), name)(parsed, output)
        sys.stdout.flush()
    except SystemExit as end:  # argparse has printed its help, or a signal ends us
        sys.stdout.flush()
        return int(end.code or Exit.DONE)
    except KeyboardInterrupt:
        if output.form is Form.JSON:
            output.answer({"failureMessage": "interrupted"}, list)
        return Exit.INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the top of the program
        return failed(error, output)
    return code


def _asked_at(server: Server | None) -> AbstractContextManager[None]:
    if server is None:
        return nullcontext()
    from core.remote.where import asked_at

    return asked_at(server)


def failed(error: Exception, output: Output) -> int:
    """Says what went wrong; returns the exit code."""
    known = _known(error, output)
    try:
        output.error(known)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError:  # nowhere to say it
        silence()
    return exits.of_error(known)


def _known(error: Exception, output: Output) -> CompartmentError:
    """The error as one of ours, which has words for people."""
    if isinstance(error, CompartmentError):
        return error
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        known = CompartmentError(f"{where}{error.strerror or error}")
    else:
        hint = "this is a bug" if output.verbose else "this is a bug; --verbose shows where it is"
        known = InternalError(f"internal error: {type(error).__name__}: {error}", hint=hint)
    known.__cause__ = error
    return known


if __name__ == "__main__":
    sys.exit(run())
