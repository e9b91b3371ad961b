"""Certificates in files that somebody else renews, such as certbot."""

from __future__ import annotations

import getpass
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from core.certificates.certificate import read_certificate
from core.errors import ConfigError

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from core.certificates.certificate import Certificate

_LIMIT_BYTES: Final = 256 * 1024
"""A chain has some kilobytes."""

Look = tuple[tuple[int, ...] | None, ...]
"""What tells one state of the two files from another."""


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """The file of the chain and that of the key; either may be a symlink that is turned."""

    certificate: Path
    key: Path

    def look(self) -> Look:
        """Differs from the look before when one of the files was written or replaced."""
        return tuple(map(_state, (self.certificate, self.key)))

    def read(self) -> Certificate:
        """What is in them.

        Raises:
            ConfigError: they cannot be read, cannot be used, or do not fit.
        """
        return read_certificate(_content(self.certificate), _content(self.key))

    def warnings(self) -> list[str]:
        """What is not wrong, but not good either."""
        try:
            is_open = stat.S_IMODE(self.key.stat().st_mode) & stat.S_IROTH
        except OSError:
            return []
        return [f"everybody on this machine can read the key {self.key}"] if is_open else []


def _state(path: Path) -> tuple[int, ...] | None:
    try:
        found: os.stat_result = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _content(path: Path) -> bytes:
    try:
        # Looked at first: to open a pipe would wait for who writes to it.
        if not path.is_file():
            reason = "it is no file" if path.exists() else "there is no such file"
            raise _unreadable(path, reason, "check the path")
        with path.open("rb") as file:
            content = file.read(_LIMIT_BYTES + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        hint = f"let the agent read it, which runs as {getpass.getuser()}"
        raise _unreadable(path, reason, hint) from error
    if len(content) > _LIMIT_BYTES:
        reason = f"it has more than {_LIMIT_BYTES // 1024} KiB"
        raise _unreadable(path, reason, "check the path")
    return content


def _unreadable(path: Path, reason: str, hint: str) -> ConfigError:
    return ConfigError(f"cannot read {path}: {reason}", hint=hint, code="invalid_certificate")
