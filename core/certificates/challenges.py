"""What proves to a certificate authority that a host name leads here (RFC 8555, 8.3)."""

from __future__ import annotations

import os
import re
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN: Final = r"[A-Za-z0-9_-]+"  # noqa: S105 - it is what names of tokens look like
"""Tokens are in the alphabet of base64url (RFC 8555, 8.3)."""

FOLDER: Final = ".well-known/acme-challenge"

_LIMIT_BYTES: Final = 4096
"""A key authorization has some 90."""


class Challenges:
    """Answers by token: our own, and those in the folder that others write to."""

    def __init__(self, webroot: Path | None) -> None:
        self._webroot = webroot
        self._own: dict[tuple[str, str], str] = {}

    @property
    def has_webroot(self) -> bool:
        """Whether somebody else may have answers for any domain."""
        return self._webroot is not None

    @contextmanager
    def answered(self, host: str, token: str, answer: str) -> Iterator[None]:
        """Gives this answer to whoever asks a host for a token."""
        self._own[host, token] = answer
        try:
            yield
        finally:
            del self._own[host, token]

    def answer(self, host: str, token: str) -> bytes | None:
        """What to say to who asks for a token; None where nobody has an answer."""
        if not re.fullmatch(TOKEN, token):
            return None
        own = self._own.get((host, token))
        if own is not None:
            return own.encode()
        return _content(self._webroot / FOLDER, token) if self._webroot else None


def _content(folder: Path, name: str) -> bytes | None:
    """A small regular file of the folder itself: a symlink may lead to what is nobody's business.

    None where it is anything else.
    """
    try:
        # Without waiting, should it be a pipe.
        opened = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        found = os.fstat(opened)
        if not stat.S_ISREG(found.st_mode) or found.st_size > _LIMIT_BYTES:
            return None
        return os.read(opened, _LIMIT_BYTES)
    finally:
        os.close(opened)
