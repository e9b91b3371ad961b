"""Addresses, logins, and what is watched: the same in the detail pane and on the page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tui import samples
from tests.tui.samples import before, domain, scene
from tests.tui.screens import replies
from tui.view import detail, facts
from tui.view.detail_rows import detail_rows
from tui.view.domain import Domain
from tui.view.domain_words import domain_look, trouble
from tui.view.glyphs import ASCII, UNICODE, Glyphs
from tui.view.looks import FAILED, HEALTHY, IDLE, RETRYING, WORKING
from tui.view.pieces import plain
from tui.view.state import Place, Service, State


@pytest.mark.parametrize(
    ("found", "glyph", "word", "style"),
    [
        (domain("x.com"), "ok", "certificate valid for 61d", HEALTHY),
        (domain("x.com", "plain"), "ok", "in clear, no certificate", IDLE),
        (domain("x.com", "pending"), "~~", "waits for its certificate", WORKING),
        (domain("x.com", "expires soon", 9.5), "!!", "certificate expires in 9d 12h", RETRYING),
        (domain("x.com", "failing", 12), "!!", "not renewed, valid for 12d", RETRYING),
        (Domain("x.com", "https://x.com", "failing"), "xx", "no certificate", FAILED),
        (domain("x.com", "expired", -2), "xx", "certificate expired 1d 23h ago", FAILED),
        (domain("x.com", "of a later version"), "??", "of a later version", IDLE),
    ],
)
def test_how_a_certificate_is(found: Domain, glyph: str, word: str, style: str) -> None:
    look = domain_look(found, samples.NOW, ASCII)
    assert (look.glyph, look.word, look.style) == (glyph, word, style)
    assert found.is_broken == (style == FAILED)
    assert found.needs_attention == (style in (FAILED, RETRYING))


def test_why_a_certificate_is_not_there_and_when_it_is_tried_again() -> None:
    found = domain("x.com", "failing", failure="[red] refused\nmore", next_try_at=before(-125))
    assert trouble(found, samples.NOW) == "[red] refused; tried again in 2m"
    assert trouble(replace(found, next_try_at=before(1)), samples.NOW) == "[red] refused"
    assert trouble(domain("x.com"), samples.NOW) is None


def test_a_domain_is_read_as_the_agent_tells_it() -> None:
    told = {
        "host": "x.com",
        "url": "https://x.com:8443",
        "state": "failing",
        "certificate": {"validUntil": before(-60).isoformat()},
        "failureMessage": "refused",
        "nextTryAt": None,
    }
    expected = Domain("x.com", "https://x.com:8443", "failing", before(-60), "refused")
    assert Domain.read(told) == expected
    assert Service.read(replies.service("web", domains=[told])).domains == (expected,)


def shown(state: State, name: str, glyphs: Glyphs = UNICODE) -> tuple[list[str], list[str]]:
    """The pane and the page."""
    found = scene(state, name, glyphs)
    pane = [plain(row).strip() for row in detail_rows(found, 60, 40)]
    page = [each.plain.strip() for each in detail.present(state.services[name], found, 78)]
    return pane, page


def test_the_domain_that_o_opens_comes_first() -> None:
    for lines in shown(samples.operated(), "web"):
        urls = [line.split()[-1] for line in lines if line.startswith("url")]
        assert urls == [
            "https://shop.example.com",
            "https://old.example.com",
            "http://shop.internal",
        ]
        at = lines.index(next(line for line in lines if "https://old" in line))
        assert lines[at + 1] == "↻ not renewed, valid for 12d"
        assert lines[at + 2].startswith("the authority cannot reach it")


def test_an_address_of_our_own_stays_where_a_domain_has_no_certificate_yet() -> None:
    state = samples.operated()
    web = replace(state.services["web"], domains=(domain("new.com", "pending"),))
    live = web.live
    assert live is not None
    web = replace(web, live=replace(live, route_url="http://shop.localhost:8080"))
    for lines in shown(replace(state, services={"web": web}), "web"):
        urls = [line.split()[-1] for line in lines if line.startswith("url")]
        assert urls == ["http://shop.localhost:8080", "https://new.com"]


@pytest.mark.parametrize(
    ("users", "told"),
    [
        (("ada", "grace"), "login o- ada and grace"),
        ((), "login o- nobody has a login: compartment user add NAME"),
        (None, "login o- those with a login"),
    ],
)
def test_who_has_a_login(users: tuple[str, ...] | None, told: str) -> None:
    for lines in shown(samples.operated(users), "admin", ASCII):
        assert told in [" ".join(line.split()) for line in lines]
    for lines in shown(samples.operated(users), "web", ASCII):
        assert not any(line.startswith("login") for line in lines)


def test_users_that_nobody_tells_of_are_not_said_to_be_missing() -> None:
    told = {"project": "shop", "environment": "production"}
    assert Place.read(told).users is None
    assert Place.read({**told, "users": []}).users == ()


def test_what_is_watched_has_its_time_and_its_limits() -> None:
    for lines in shown(samples.watched(), "api"):
        assert "watched 4m left of 5m 00s" in [" ".join(line.split()) for line in lines]
        assert any(line.startswith("goes back by itself when it turns unhealthy") for line in lines)


def test_why_the_platform_went_back() -> None:
    for lines in shown(samples.went_back(), "api"):
        told = " ".join(" ".join(line.split()) for line in lines)
        assert "gone back by itself: api of dep_51fex7q2m4kz: it is unhealthy" in told


def test_nothing_of_it_is_said_where_nothing_is_so() -> None:
    idle = scene(samples.idle())
    service = idle.state.services["api"]
    assert list(facts.aftercare(service, idle)) == list(facts.access(service, idle)) == []


def test_a_deployment_is_read_with_its_way_back() -> None:
    told = replies.deployment(
        "dep_web1",
        "web",
        accessMode="authenticated",
        watchedUntil=before(-60).isoformat(),
        returnedBecause="it was worse",
        autoRollback={"words": "when it turns unhealthy", "windowMs": 300_000},
    )
    live = Service.read(replies.service("web", live=told)).live
    assert live is not None
    assert (live.needs_login, live.watched_until, live.returned_because) == (
        True, before(-60), "it was worse",
    )  # fmt: skip
    assert (live.way_back, live.way_back_s) == ("when it turns unhealthy", 300)
