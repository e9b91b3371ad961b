"""A recording on the screen."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from core.files import Home
from tui.app import DashboardApp
from tui.choices import FILE_NAME, Choices
from tui.feed.replay import ReplayFeed
from tui.opening import options_of
from tui.refused_verbs import RefusedVerbs
from tui.session import Session
from tui.view.state import Place

if TYPE_CHECKING:
    from argparse import Namespace


def open_replay(arguments: Namespace) -> int:
    """Plays a recording; returns the exit code."""
    feed = ReplayFeed(arguments.replay)
    choices = Choices.load(Home.locate().root / FILE_NAME, is_read_only=arguments.read_only)
    options = options_of(arguments, choices, "replay")
    place = Place(feed.header.project, feed.header.environment)
    app = DashboardApp(place, (), feed, RefusedVerbs(), options, choices)
    session = Session()
    asyncio.run(session.show(app, feed))
    return session.exit_code
