"""Runs a part of the proof, and keeps what it has shown."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter

from tests.proof.machine import described
from tests.proof.parts import LIMIT_S, Part
from tests.proof.results import ROOT, Result, Shown, commit, source_digest

_SHOWN = TypeAdapter(tuple[Shown, ...])
_ENDING_S = 60
"""What pytest gets beyond the limit to end what it has started."""


def command_of(part: Part) -> list[str]:
    """What anybody can run to see the same."""
    several = ["-n", str(part.workers)] if part.workers else ["-p", "no:xdist"]
    limit = ["-o", f"timeout={LIMIT_S}"]
    return ["-m", "pytest", "--proof", *several, *limit, *part.tests]


def run(part: Part) -> Result:
    """Runs the tests of a part, whose words go to the terminal; a failure is a result as well."""
    began_at, began = datetime.now(UTC), time.monotonic()
    source = source_digest()
    command = command_of(part)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "shown.json"
        plugin = ["-p", "tests.proof.collecting", "--proof-to", str(target)]
        # No test is to be skipped for want of a Docker Engine: that would show nothing.
        environ = {**os.environ, "CI": "true"}
        process = subprocess.Popen([sys.executable, *command, *plugin], cwd=ROOT, env=environ)
        try:
            process.wait(LIMIT_S + _ENDING_S)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait()
        shown = _SHOWN.validate_json(target.read_bytes()) if target.exists() else ()
    seconds = time.monotonic() - began
    words = shlex.join(["python", *command])
    return Result(
        *(part.name, source, commit(), described(), began_at.isoformat(timespec="seconds")),
        *(seconds, words, process.returncode, shown),
    )
