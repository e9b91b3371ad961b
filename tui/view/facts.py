"""What is said of a service beside its deployments, the same in its detail and on its page."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tui.view import words
from tui.view.access import access_look, is_locked_out, who
from tui.view.domain_words import domain_look, trouble
from tui.view.looks import RETRYING
from tui.view.watched import left_s, watched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui.view.scene import Scene
    from tui.view.state import Service


class Fact(NamedTuple):
    """One line, or a few; it has no label where it is about the one before."""

    label: str
    text: str
    style: str = ""


URL = "url"


def aftercare(service: Service, scene: Scene) -> Iterator[Fact]:
    """Whether it may be rolled back by itself, or is what the platform went back to."""
    found, live = watched(service), service.live
    if found is not None:
        of = f" of {words.counting(found.way_back_s)}" if found.way_back_s else ""
        yield Fact("watched", f"{words.age(left_s(found, scene.now))} left{of}")
        yield Fact("", f"goes back by itself {found.way_back}", "$foreground-muted")
    elif live is not None and live.returned_because:
        yield Fact("gone back", f"by itself: {words.reason(live.returned_because)}")


def addresses(service: Service, scene: Scene) -> Iterator[Fact]:
    """What `o` opens first, then its other domains; each with how its certificate is."""
    found = service.live or service.candidate
    url = found.route_url if found else None
    domains = sorted(service.domains, key=lambda each: each.url != url)
    if url and all(each.url != url for each in domains):
        yield Fact(URL, url)
    for each in domains:
        yield Fact(URL, each.url)
        look = domain_look(each, scene.now, scene.glyphs)
        yield Fact("", f"{look.glyph} {look.word}", look.style)
        if why := trouble(each, scene.now):
            yield Fact("", why)


def access(service: Service, scene: Scene) -> Iterator[Fact]:
    """Who may see it, where that is not everybody."""
    place = scene.state.place
    if look := access_look(service, place, scene.glyphs):
        style = RETRYING if is_locked_out(service, place) else ""
        yield Fact("login", f"{look.glyph} {who(place)}", style)
