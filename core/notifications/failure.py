"""Why somebody was not told."""

from __future__ import annotations


class NotTold(Exception):
    """One try has failed. The reason names no address: that of a webhook is a secret."""

    def __init__(self, reason: str, *, is_final: bool = False, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_final = is_final
        """Whether another try would fail as well."""
        self.wait_s = wait_s
        """How long the other side wants to be left alone."""
