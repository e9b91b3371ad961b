"""Who gives certificates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from core.errors import CompartmentError

if TYPE_CHECKING:
    from pathlib import Path

    from core.certificates.challenges import Challenges


class Authority(Protocol):
    """Whoever gives certificates to those who can show that a host is theirs."""

    async def issue(self, host: str) -> tuple[bytes, bytes]:
        """A new chain with its key, in PEM.

        Raises:
            CompartmentError: there is none, and why.
        """


class NoAuthority:
    """Gives none."""

    async def issue(self, host: str) -> tuple[bytes, bytes]:
        """Refuses."""
        raise CompartmentError(f"nobody gives certificates for {host} here")


@dataclass(frozen=True, slots=True)
class AcmeAuthority:
    """An ACME directory, with an account that is kept in `folder`."""

    directory: str
    folder: Path
    answers: Challenges
    email: str | None = None
    ca_file: str | None = None

    async def issue(self, host: str) -> tuple[bytes, bytes]:
        """A new chain with its key, in PEM.

        Raises:
            IssueFailed: there is none, and why.
        """
        # Imported here: most agents never speak to an authority.
        from core.certificates.acme import issue

        return await issue(self, host)
