"""A host name that leads to a service, as it is told of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from tui.view.moments import moment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Domain:
    """One host name."""

    host: str
    url: str
    state: str
    """`plain`, `pending`, `ok`, `expires soon`, `failing` or `expired`."""
    valid_until: datetime | None = None
    """None without a certificate."""
    failure: str | None = None
    """Why its last certificate could not be had, or taken."""
    next_try_at: datetime | None = None
    """When an authority is asked for the next one."""

    @property
    def is_broken(self) -> bool:
        """Whether whoever opens it is warned, or gets nothing."""
        return self.state == "expired" or (self.state == "failing" and self.valid_until is None)

    @property
    def needs_attention(self) -> bool:
        """Whether somebody should look at its certificate."""
        return self.state in ("expired", "failing", "expires soon")

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> Self:
        """As `GET /v1/domains` tells of it."""
        certificate = found.get("certificate") or {}
        return cls(
            host=found["host"],
            url=found["url"],
            state=found["state"],
            valid_until=moment(certificate.get("validUntil")),
            failure=found.get("failureMessage"),
            next_try_at=moment(found.get("nextTryAt")),
        )
