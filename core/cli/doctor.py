"""Checks this machine, and says how to mend each failure. A check changes and starts nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from core.cli.checks import Check, Level, machine_checks
from core.cli.docker import docker_checks
from core.cli.exits import Exit
from core.cli.running import our_checks, read_and_check
from core.cli.survival import survival_checks
from core.cli.text import columns
from core.files import Home

if TYPE_CHECKING:
    from argparse import Namespace

    from core.cli.output import Output


def doctor(arguments: Namespace, output: Output) -> int:
    """Runs every check, a warning is not a failure; or makes a damaged journal anew."""
    if arguments.rebuild:
        from core.cli.rebuilding import rebuild_journal

        return rebuild_journal(output)
    home = Home.locate()
    settings, settings_check = read_and_check(os.environ)
    checks = [
        *machine_checks(home, settings.base_domain),
        *docker_checks(home, os.environ),
        settings_check,
        *our_checks(home, settings),
        *survival_checks(home),
    ]
    failed = [check for check in checks if check.level is Level.FAIL]
    message = "; ".join(f"{check.name}: {check.found}" for check in failed) or None
    document: dict[str, Any] = {
        "checks": [_as_json(check) for check in checks],
        "isHealthy": not failed,
        "failureMessage": message,
    }
    output.answer(document, lambda: _lines(checks, colour=output.has_colour))
    if not failed:
        return Exit.DONE
    is_unreachable = any(check.is_reachability for check in failed)
    return Exit.UNREACHABLE if is_unreachable else Exit.FAILED


def _lines(checks: list[Check], *, colour: bool) -> list[str]:
    rows = columns([(check.level, check.name, check.found) for check in checks], colour=colour)
    lines = []
    for check, row in zip(checks, rows, strict=True):
        lines.append(row)
        if check.mend and check.level is not Level.OK:
            lines.append(f"         to mend it: {check.mend}")
    return lines


def _as_json(check: Check) -> dict[str, Any]:
    return {
        "name": check.name,
        "level": check.level.lower(),
        "found": check.found,
        "mend": check.mend,
    }
