"""The systemd unit of an agent: what it is called, where it is, what stands in it. Pure text."""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.errors import CompartmentError
from core.files import Home

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME: Final = "compartment"
SYSTEM_FOLDER: Final = Path("/etc/systemd/system")

_HEAD: Final = """\
# Written by `compartment agent install`, which replaces it only while nobody has changed it.
# Settings of your own belong into a drop-in: systemctl {flag}edit {name}
# digest: {digest}
"""

_BODY: Final = """\
[Unit]
Description=compartment, the agent of {home_words}
{order}
# A full disk or a port that is taken may mend itself: it tries for ever, but never in a hurry.
StartLimitIntervalSec=0

[Service]
Type=notify
# It is ready once everything that was live is served; services have limits of their own.
TimeoutStartSec=infinity
ExecStart={python} -P -m core.agent.daemon --unit %n
{environment}
WorkingDirectory=/
{owner}Restart=on-failure
RestartSec=10
# The gateway and the services are processes of this unit, too, and outlive their agent.
KillMode=process
# So that the agent may take in what it finds running: that belongs to a login, maybe.
Delegate=yes
OOMPolicy=continue
TasksMax=infinity
{bounds}
[Install]
WantedBy={target}
"""

_SYSTEM_ORDER: Final = """\
Wants=network-online.target
After=network-online.target time-sync.target docker.service
RequiresMountsFor={home}"""

_USER_ORDER: Final = "After=docker.service"

_BOUNDS: Final = """\
# Services inherit what is set here: nothing that hides files, or forbids sudo.
CapabilityBoundingSet=~CAP_SYS_BOOT CAP_SYS_MODULE CAP_SYS_RAWIO CAP_SYS_TIME
"""

_PASSED_ON: Final = ("PATH", "LANG", "XDG_CONFIG_HOME")
"""Besides our own variables; HOME and USER are systemd's to set."""


class Kind(StrEnum):
    """Whose systemd starts the agent: the machine's, or that of the user."""

    SYSTEM = "system"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Unit:
    """The unit of one home folder; the file need not be there."""

    home: Home
    kind: Kind
    name: str

    @property
    def path(self) -> Path:
        """Where its file is, or would be."""
        return _folder(self.kind) / self.name

    def text(self, environ: Mapping[str, str], owner: str | None = None) -> str:
        """The file; `owner` is the user whom the agent of a system unit belongs to, if not root.

        Raises:
            CompartmentError: a path or a variable cannot stand in a unit.
        """
        is_system = self.kind is Kind.SYSTEM
        home = quoted(str(self.home.root))
        body = _BODY.format(
            home_words=str(self.home.root).replace("%", "%%"),
            order=_SYSTEM_ORDER.format(home=home) if is_system else _USER_ORDER,
            python=quoted(sys.executable),
            environment="\n".join(_environment(self.home, environ)),
            owner=f"User={owner}\n" if owner else "",
            bounds=_BOUNDS if is_system else "",
            target="multi-user.target" if is_system else "default.target",
        )
        flag = "" if is_system else "--user "
        return _HEAD.format(flag=flag, name=self.name, digest=_digest(body)) + body

    @property
    def starts_us(self) -> bool:
        """Whether it starts the program that this process is, and not another installation."""
        return f"ExecStart={quoted(sys.executable)} " in _read(self.path)


def unit_of(home: Home, kind: Kind) -> Unit:
    """The unit of a home: `compartment.service`, or one of its own for another than the usual."""
    if home == Home.usual():
        return Unit(home, kind, f"{_NAME}.service")
    digest = hashlib.sha256(os.fsencode(home.root)).hexdigest()[:12]
    return Unit(home, kind, f"{_NAME}-{digest}.service")


def installed(home: Home) -> Unit | None:
    """The unit that starts the agent of a home, if one was installed, whoever has done it."""
    for kind in Kind:
        for path in sorted(_folder(kind).glob(f"{_NAME}*.service")):
            if _home_line(home) in _read(path).splitlines():
                return Unit(home, kind, path.name)
    return None


def _folder(kind: Kind) -> Path:
    if kind is Kind.SYSTEM:
        return SYSTEM_FOLDER
    config = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(config) / "systemd" / "user"


def is_as_written(text: str) -> bool:
    """Whether a unit is as an `agent install` has written it, maybe an earlier one."""
    head, found, rest = text.partition("# digest: ")
    digest, _, body = rest.partition("\n")
    return bool(head and found) and digest == _digest(body)


def quoted(text: str) -> str:
    """One word of a unit, whatever is in it (systemd.syntax(7)); % would be a specifier.

    Raises:
        CompartmentError: it is not UTF-8, or has control characters.
    """
    if not text.isprintable():
        raise CompartmentError(
            f"{text!r} cannot stand in a systemd unit",
            hint="use a path of printable UTF-8 characters",
        )
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def _environment(home: Home, environ: Mapping[str, str]) -> list[str]:
    """What an agent that a command starts would see, too."""
    ours = {name: value for name, value in environ.items() if name.startswith("COMPARTMENT_")}
    passed = {name: environ[name] for name in _PASSED_ON if name in environ}
    given = {**passed, **ours}
    given.pop("COMPARTMENT_HOME", None)
    lines = [f"Environment={quoted(f'{name}={value}')}" for name, value in sorted(given.items())]
    return [_home_line(home), *lines]


def _home_line(home: Home) -> str:
    return f"Environment={quoted(f'COMPARTMENT_HOME={home.root}')}"


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
