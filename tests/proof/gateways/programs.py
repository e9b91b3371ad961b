"""Where the other gateways and the load generators are; Debian's are installed if need be."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.engine import machine
from tests.engine.place import NoEngine

PACKAGES = {
    "haproxy": "haproxy",
    "nginx": "nginx-light",
    "wrk": "wrk",
    "h2load": "nghttp2-client",
    "taskset": "util-linux",
}
"""Debian's: programs and the packages that have them."""


def install() -> None:
    """Makes sure that all programs of Debian are here; skips the test where they cannot be."""
    try:
        machine.install(print, PACKAGES)
    except NoEngine as error:
        pytest.skip(str(error))


def program(name: str) -> str:
    """The path of one of Debian's."""
    found = shutil.which(name, path=machine.SEARCH_PATH)
    assert found, f"{name} is not installed"
    return found


def wheel_program(name: str) -> str:
    """The path of one that came in a wheel; skips the test where it is not installed."""
    found = Path(sys.executable).with_name(name)
    if not found.exists():
        pytest.skip(f"{name} is not installed: it is in the extra `proof`")
    return str(found)
