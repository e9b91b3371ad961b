"""What the machine must be, and what has to be installed, for an engine to run on it."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.engine.place import NoEngine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_PACKAGES = {
    "dockerd": "docker.io",
    "docker": "docker.io",
    "docker-compose": "docker-compose",
    "ip": "iproute2",
    "iptables": "iptables",
    "mmdebstrap": "mmdebstrap",
    "umount": "mount",
}
_DEBIAN = Path("/etc/debian_version")
_POLICY = Path("/usr/sbin/policy-rc.d")


def is_root_on_debian() -> bool:
    """Whether an engine can be installed and started here."""
    return os.getuid() == 0 and _DEBIAN.exists()


def check() -> None:
    """Raises NoEngine where no engine can be started, with the reason."""
    if os.getuid() != 0:
        raise NoEngine("only root can start an engine, and these tests do not run as root")
    if not _DEBIAN.exists():
        raise NoEngine("this is not Debian, whose packages the private engine is made of")


def install(say: Callable[[str], None], programs: Mapping[str, str] = _PACKAGES) -> None:
    """Installs the packages of programs that are missing; no service of theirs is started."""
    missing = {
        package
        for program, package in programs.items()
        if shutil.which(program, path=SEARCH_PATH) is None
    }
    if not missing:
        return
    say(f"installing {' '.join(sorted(missing))}")
    with _no_services():
        _apt_get("update")
        _apt_get("install", "-y", "--no-install-recommends", *sorted(missing))


def run(*command: str) -> str:
    """Runs a command; returns what it printed. Raises NoEngine with its last words."""
    environment = {"PATH": SEARCH_PATH, "HOME": "/root", "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last_words = " / ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
        raise NoEngine(f"`{' '.join(command[:3])}` failed: {last_words}")
    return done.stdout


def _apt_get(*arguments: str) -> None:
    run("apt-get", "-qq", "-o", "Acquire::Retries=3", "-o", "DPkg::Lock::Timeout=120", *arguments)


@contextmanager
def _no_services() -> Iterator[None]:
    """What Debian's packages ask before they start a service says no meanwhile."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()
