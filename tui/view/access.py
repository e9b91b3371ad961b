"""Who may see a service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.view import words
from tui.view.looks import IDLE, RETRYING, Look

if TYPE_CHECKING:
    from tui.view.glyphs import Glyphs
    from tui.view.state import Place, Service

ADD = "compartment user add NAME"
"""What gives somebody a login."""


def is_locked_out(service: Service, place: Place) -> bool:
    """Whether it asks for a login that nobody has."""
    return service.needs_login and place.users == ()


def access_look(service: Service, place: Place, glyphs: Glyphs) -> Look | None:
    """That it asks for a login; None where it does not."""
    if not service.needs_login:
        return None
    if is_locked_out(service, place):
        return Look(glyphs.login, "nobody", RETRYING)
    return Look(glyphs.login, "login", IDLE)


def who(place: Place) -> str:
    """Who has a login, or what to do where nobody has."""
    if place.users is None:
        return "those with a login"
    if not place.users:
        return f"nobody has a login: {ADD}"
    return words.listed(list(place.users), most=8)
