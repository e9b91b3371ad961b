"""The `compartment` stream: what the platform itself has to say of a deployment."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from core.lines import Line, RotatingFile, clean, shorten, stamp
from core.logs.files import COMPARTMENT_FILE
from core.model import Stream
from core.secrets import Mask

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_OPEN_FILES = 32


class CompartmentLog:
    """Appends to the `compartment` stream of any deployment; a full disk loses lines, not runs.

    `mask` hides every secret of the home: what the platform says may quote anybody.
    """

    def __init__(self, logs: Path) -> None:
        self.mask = Mask()
        self._logs = logs
        self._files: OrderedDict[str, RotatingFile] = OrderedDict()

    def write(self, deployment_id: str, text: str) -> None:
        """Keeps a text, stamped now; every line of it is a line of the log."""
        self.write_many(deployment_id, self.mask.mask(text).splitlines() or [""])

    def write_many(self, deployment_id: str, texts: Sequence[str]) -> None:
        """Keeps lines, all stamped now, with one call of the system."""
        at = stamp()
        texts = self.mask.mask_lines([clean(text) for text in self.mask.mask_lines(texts)])
        lines = [Line(at, Stream.COMPARTMENT, shorten(text)) for text in texts]
        self._file(deployment_id).append(lines)

    def close(self) -> None:
        """Closes all files."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _file(self, deployment_id: str) -> RotatingFile:
        file = self._files.get(deployment_id)
        if file is None:
            folder = self._logs / deployment_id
            file = self._files[deployment_id] = RotatingFile(folder / COMPARTMENT_FILE)
        self._files.move_to_end(deployment_id)
        if len(self._files) > _OPEN_FILES:
            self._files.popitem(last=False)[1].close()
        return file
