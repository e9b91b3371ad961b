"""The entry point of `compartment-tui`.

Nothing here imports Textual: headless commands, help and refusals must not wait for it.
"""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

from core.cli.exits import Exit
from core.cli.main import failed, main
from core.cli.output import Output, prepare_streams
from core.errors import CompartmentError
from core.files import Home
from tui.arguments import PROGRAM, parse
from tui.terminal import check_terminal, forget_fixed_size

if TYPE_CHECKING:
    from collections.abc import Sequence


def dashboard_or_run() -> int:
    """Entry point of `compartment-tui`."""
    arguments = sys.argv[1:]
    if "--run" in arguments:
        arguments.remove("--run")
        return main(arguments, f"{PROGRAM} --run")
    return dashboard(arguments)


def dashboard(arguments: Sequence[str]) -> int:
    """Opens the dashboard; returns the exit code, with everything said that is to be said."""
    prepare_streams()
    try:
        return _open(arguments)
    except SystemExit as end:  # argparse has printed its help
        return int(end.code or Exit.DONE)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except (CompartmentError, OSError) as error:
        return failed(error, Output())
    except Exception as error:  # noqa: BLE001 - the top of the program
        from tui.crash import report_crash

        return report_crash(error, Home.locate())


def _open(given: Sequence[str]) -> int:
    arguments = parse(given)
    if arguments.demo is not None:  # which shows what it can where there is no screen
        from tui.demo.open import open_demo

        return open_demo(arguments)
    check_terminal()
    forget_fixed_size()
    # Until the first frame: looking for garbage among what is only being imported takes a tenth of
    # the time that this needs. The session turns it on again.
    gc.disable()
    if arguments.replay is not None:
        from tui.replay import open_replay

        return open_replay(arguments)
    from tui.live import open_live

    return open_live(arguments)


if __name__ == "__main__":
    sys.exit(dashboard_or_run())
