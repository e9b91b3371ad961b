"""The one writer of what is shown: folds the feed's messages into the state."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tui.view.moments import moment
from tui.view.state import Figures, Link, Place, Run, Service, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

EVENTS_KEPT = 1000
FIGURES_KEPT = 120
"""Samples for the sparklines, one every 2 s."""


class Board:
    """The present of one environment, with enough of its past for event list and sparklines.

    Widgets read it; nobody but the feed's consumer calls the methods that change it.
    """

    def __init__(self, place: Place, services: Sequence[Service] = ()) -> None:
        self._of_files = {each.name: each for each in services}
        self.state = State(place, services=self._of_files)
        """Begins with the services of the project file, which were perhaps never deployed."""
        self.events: deque[Mapping[str, Any]] = deque(maxlen=EVENTS_KEPT)
        self.trends: dict[str, deque[Figures]] = {}
        self._seq = 0
        self._has_begun = False
        self._is_whole_next = False
        """Whether the next update is the first of a connection, which has everything."""
        self.version = 0
        """Counts changes, so that whoever draws knows whether there is something to draw."""

    def apply(self, update: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Takes over one update of the watch: what it has not is as it was.

        Returns the events that are news: not those of the past that the first update brings, and
        none twice when the connection was lost in between.
        """
        state = self.state
        services = state.services
        if self._is_whole_next:
            self._is_whole_next = False
            services = self._of_files
            if update.get("seq", self._seq) < self._seq:
                self._begin_anew()
        changes: dict[str, Any] = {}
        if "environment" in update:
            changes["place"] = Place.read(update["environment"])
        if update.get("services") or update.get("gone") or services is not state.services:
            changes["services"] = _services(services, update)
        if "run" in update:
            changes["run"] = Run.read(update["run"]) if update["run"] else None
        if "queue" in update:
            changes["queue"] = tuple(Run.read(each) for each in update["queue"])
        if "statistics" in update:
            changes |= self._statistics(update["statistics"])
        self.state = replace(state, **changes)
        self.version += 1
        return self._news(update.get("events", ()))

    def _begin_anew(self) -> None:
        """The home folder was deleted meanwhile: the journal is another one, and counts from 1."""
        self.events.clear()
        self.trends.clear()
        self._seq = 0
        self._has_begun = False

    def _news(self, events: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        is_first = not self._has_begun
        self._has_begun = True
        unheard = [event for event in events if event["seq"] > self._seq]
        if unheard:
            self._seq = unheard[-1]["seq"]
        self.events.extend(unheard)
        return [] if is_first else unheard

    def _statistics(self, found: Mapping[str, Any]) -> dict[str, Any]:
        figures = {name: Figures.read(each) for name, each in found["services"].items()}
        for name, each in figures.items():
            self.trends.setdefault(name, deque(maxlen=FIGURES_KEPT)).append(each)
        return {"figures": figures, "figures_at": moment(found.get("at"))}

    def change_link(self, at: datetime, *, is_up: bool, reason: str = "") -> None:
        """The agent went away, or is back."""
        self.state = replace(self.state, link=Link(is_up=is_up, since=at, reason=reason))
        self._is_whole_next = is_up
        self.version += 1


def _services(before: Mapping[str, Service], update: Mapping[str, Any]) -> dict[str, Service]:
    changed = {name: Service.read(each) for name, each in update.get("services", {}).items()}
    gone = set(update.get("gone", ()))
    return {name: each for name, each in {**before, **changed}.items() if name not in gone}
