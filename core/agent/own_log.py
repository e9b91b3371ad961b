"""The agent's own log: a traceback or the error of an engine in it may quote anybody."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from core.secrets import Mask

FORMAT: Final = "%(asctime)s %(levelname)s %(message)s"


class _Masked(logging.Formatter):
    def __init__(self, mask: Mask) -> None:
        super().__init__(FORMAT)
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        return self._mask.mask(super().format(record))


def hide_secrets(mask: Mask) -> None:
    """From now on no line of the log has what the mask hides, tracebacks included."""
    for handler in logging.getLogger().handlers:
        handler.setFormatter(_Masked(mask))
