"""What is worth a sentence while no run goes on: certificates, logins, and what is watched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.view import looks, words
from tui.view.access import ADD, is_locked_out
from tui.view.domain_words import domain_look, trouble
from tui.view.sentence import Why
from tui.view.watched import left, left_s, watched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui.view.domain import Domain
    from tui.view.scene import Scene


def broken(scene: Scene) -> Iterator[Why]:
    """Domains that nobody can open without a warning, if at all."""
    found = [each for each in _domains(scene) if each.is_broken]
    if found:
        yield _of_certificates(found, scene)


def certificates(scene: Scene) -> Iterator[Why]:
    """Certificates that will be missed if nobody looks after them."""
    found = [each for each in _domains(scene) if each.needs_attention]
    if found:
        yield _of_certificates(found, scene)


def _domains(scene: Scene) -> Iterator[Domain]:
    for service in scene.state.services.values():
        yield from service.domains


def _of_certificates(found: list[Domain], scene: Scene) -> Why:
    first, *others = found
    look = domain_look(first, scene.now, scene.glyphs)
    why = trouble(first, scene.now)
    also = f"; also {words.listed([each.host for each in others])}" if others else ""
    told = f"{first.host}: {look.word}" + (f": {why}" if why else "")
    return Why(look.glyph, look.style, (told, *([also] if also else [])))


def locked_out(scene: Scene) -> Iterator[Why]:
    """What asks for a login that nobody has is closed to everybody."""
    place = scene.state.place
    services = scene.state.services.values()
    names = [each.name for each in services if each.live and is_locked_out(each, place)]
    if not names:
        return
    ask = "asks" if len(names) == 1 else "ask"
    told = f"{words.listed(names)} {ask} for a login, and nobody has one"
    there = f" --host {scene.server}" if scene.server else ""
    press = () if scene.is_read_only else (f": {ADD} --env {place.environment}{there}",)
    yield Why(scene.glyphs.login, looks.RETRYING, (told, *press))


def watching(scene: Scene) -> Iterator[Why]:
    """What may still be rolled back by itself."""
    found = [live for each in scene.state.services.values() if (live := watched(each))]
    if not found:
        return
    last = max(found, key=lambda each: left_s(each, scene.now))
    names = words.listed([each.name for each in scene.state.services.values() if watched(each)])
    verb = "is" if len(found) == 1 else "are"
    told = f"{names} {verb} watched, {left(last, scene.now)}"
    way_back = "; what turns out to be worse than before is rolled back by itself"
    yield Why(scene.glyphs.healthy, looks.HEALTHY, (told, way_back))


def still_watched(scene: Scene) -> Iterator[str]:
    """The same as the end of a sentence about the run that has just ended."""
    found = [live for each in scene.state.services.values() if (live := watched(each))]
    if found:
        last = max(found, key=lambda each: left_s(each, scene.now))
        yield f"; watched, {left(last, scene.now)}"
