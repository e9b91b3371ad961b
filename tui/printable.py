"""The last look at everything that is drawn: whoever wrote it, no terminal obeys it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from textual.filter import LineFilter

from core.lines import UNWANTED

if TYPE_CHECKING:
    from textual.color import Color

_UNPRINTABLE = re.compile(rf"[\t{UNWANTED}]")


class Printable(LineFilter):
    """Takes control and format characters out of lines; those keep the width that they have."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments as they may be written."""
        del background
        if not any(_UNPRINTABLE.search(each.text) for each in segments):
            return segments
        return [
            each if each.control else Segment(_UNPRINTABLE.sub(_replacement, each.text), each.style)
            for each in segments
        ]


def _replacement(found: re.Match[str]) -> str:
    return "\ufffd" * cell_len(found[0])
