"""What systemd is asked to do, and what of it can be seen without asking."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.agent.unit import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

_RUNNING: Final = Path("/run/systemd/system")
"""There where systemd is the init of the machine (sd_booted(3))."""

_LINGERS: Final = Path("/var/lib/systemd/linger")

_LIMIT_S: Final = 60.0
"""For a start, which may have to wait for what was live to be ready."""


def runs(kind: Kind) -> bool:
    """Whether the systemd of a kind can be spoken to from here."""
    if not _RUNNING.is_dir() or shutil.which("systemctl") is None:
        return False
    return kind is Kind.SYSTEM or _runtime_folder() is not None


def _runtime_folder() -> str | None:
    """Where the user's own systemd listens; a shell of `su` does not name it."""
    folder = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    return folder if Path(folder, "systemd", "private").exists() else None


def call(kind: Kind, *words: str, program: str = "systemctl") -> str | None:
    """Has systemd do something; returns why it did not, if so."""
    command = [program, *(["--user"] if kind is Kind.USER else []), *words]
    try:
        done = subprocess.run(
            command,
            # Without a terminal nobody is asked for a password.
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            capture_output=True,
            text=True,
            timeout=_LIMIT_S,
            check=False,
            env=_environment(),
        )
    except subprocess.TimeoutExpired:
        return f"`{' '.join(command)}` goes on for longer than {_LIMIT_S:g} s"
    except OSError as error:
        return f"{program}: {error.strerror}"
    said = (done.stderr or done.stdout).strip().splitlines()
    return None if done.returncode == 0 else (said[0] if said else f"exit code {done.returncode}")


def _environment() -> dict[str, str]:
    folder = _runtime_folder()
    return {**os.environ, **({"XDG_RUNTIME_DIR": folder} if folder else {})}


def lingers(user: str | None = None) -> bool:
    """Whether the systemd of a user runs from boot on, and beyond the last logout."""
    return (_LINGERS / (user or user_name())).exists()


def user_name(uid: int | None = None) -> str:
    """Who a process of ours belongs to, whatever its environment says."""
    return pwd.getpwuid(os.getuid() if uid is None else uid).pw_name


def scoped(command: Sequence[str]) -> list[str]:
    """The command in a scope of its own, where that lives longer than the login it is started in.

    Root's is one of the machine. That of a user ends with the user's systemd, which without
    lingering is earlier than many a login leaves its processes be.
    """
    run = ["systemd-run", "--scope", "--quiet", "--collect"]
    if shutil.which("systemd-run") is None:
        return [*command]
    if os.geteuid() == 0 and runs(Kind.SYSTEM):
        return [*run, "--", *command]
    folder = _runtime_folder()
    if folder and runs(Kind.USER) and lingers():
        there = f"XDG_RUNTIME_DIR={folder}"
        return ["env", there, *run, "--user", "--", "env", "-u", "XDG_RUNTIME_DIR", *command]
    return [*command]
