"""The window of the dashboard, which can change its size faster than Textual 8.2.8 follows.

Textual reads the size in the handler of a signal. The next signal can interrupt that handler after
it has read and before it has told: then the older size is told last, and stays. And a window that
is as large again as it was before Textual looked is not drawn again, though the terminal has cut
off what had no room. Of bursts of resizes without a pause, the first is seen in one of twenty, the
second in every other one (measured in a pseudo-terminal).
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from textual.events import Resize
from textual.geometry import Size

if TYPE_CHECKING:
    from textual.app import App


def catch_up(app: App[Any], told: Size) -> None:
    """Draws everything again after a resize, and at another size if the window has another."""
    app.refresh()
    if app.is_headless or app.supports_smooth_scrolling:
        # A terminal that tells its size itself, as those do, tells it in order.
        return
    size = Size(*shutil.get_terminal_size())  # as Textual's driver asks
    if size != told:
        app.post_message(Resize(size, size))
