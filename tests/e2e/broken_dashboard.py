"""The dashboard with a widget that breaks as soon as `x` is pressed."""

from __future__ import annotations

import sys

from tui.app import DashboardApp
from tui.main import dashboard_or_run


def break_widget(self: DashboardApp) -> None:
    raise LookupError("on purpose")


setattr(DashboardApp, "action_cancel", break_widget)  # noqa: B010 - as typing has no word for it

if __name__ == "__main__":
    sys.exit(dashboard_or_run())
