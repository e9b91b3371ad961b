"""What a person is told when the dashboard ends by a bug, and what is kept for whoever mends it."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from core import __version__
from core.cli.exits import Exit
from core.cli.output import Output
from core.files import make_folder, private
from core.lines import stamp

if TYPE_CHECKING:
    from pathlib import Path

    from core.files import Home


def report_crash(error: BaseException, home: Home) -> int:
    """Keeps the traceback in the home folder and says where; returns the exit code."""
    file = home.root / "dashboard.log"
    try:
        _append(file, error)
        where = f"its traceback is in {file}; what runs goes on"
    except OSError as failure:
        where = f"its traceback could not be written to {file}: {failure.strerror or failure}"
    found = f"{type(error).__name__}: {error}".strip().partition("\n")[0]
    Output().failure(f"the dashboard ended, and this is a bug: {found}", where)
    return Exit.FAILED


def _append(file: Path, error: BaseException) -> None:
    make_folder(file.parent)
    with open(file, "a", opener=private) as log:
        log.write(f"{stamp()} compartment-tui {__version__}\n")
        log.write("".join(traceback.format_exception(error)) + "\n")
