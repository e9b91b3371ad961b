"""Starts an agent of the tests' own: that of the product but for what the test is about."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.files import Home

_REPOSITORY = Path(__file__).parents[2]
_READY = b'{"ready": true}\n'


def start(home: Home, module: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Starts the agent that is a module here; returns once it is ready, or has ended."""
    with home.agent_output.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            cwd="/",
            env={
                **os.environ,
                "COMPARTMENT_HOME": str(home.root),
                "PYTHONPATH": str(_REPOSITORY),
            },
            start_new_session=True,
        )
    assert process.stdout is not None
    with process.stdout as said:
        line = said.readline()
    # One that kills itself may have said no more than a part of it.
    assert _READY.startswith(line), line
    return process
