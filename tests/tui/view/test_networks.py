from __future__ import annotations

import pytest

from tests.tui.screens.replies import HOSTILE, Json, network, networks
from tui.view.glyphs import ASCII, UNICODE, Glyphs
from tui.view.networks import groups_of, lines

NO_URLS: dict[str, str] = {}


def shown(found: Json, width: int = 76, glyphs: Glyphs = UNICODE, **urls: str) -> list[str]:
    return [line.plain for line in lines(found, urls, width, glyphs)]


def test_a_table_tells_who_reaches_whom_and_over_what() -> None:
    assert shown(networks()) == [
        "a  backend  internal: no way out",
        "   app, db, redis, worker",
        "b  frontend  with a way out",
        "   app, nginx",
        "",
        "who reaches whom",
        "        app  db  nginx  redis  worker  ⟶",
        "app          a   b      a      a",
        "db      a        -      a      a",
        "nginx   b    -          -      -       80",
        "redis   a    a   -             a",
        "worker  a    a   -      a",
        "a letter: over that network; - out of reach; ⟶ ports of this machine that",
        "lead there",
        "",
        "from this machine",
        "80  ⟶  nginx  port 8080",
    ]


def test_a_table_without_room_for_names_has_numbers() -> None:
    told = shown(networks(), width=38)
    at = told.index("who reaches whom")
    assert told[at + 1 : at + 5] == [
        "           1  2  3  4  5  ⟶",
        " 1 app        a  b  a  a",
        " 2 db      a     -  a  a",
        " 3 nginx   b  -     -  -  80",
    ]


def test_where_no_table_has_room_each_service_says_it() -> None:
    told = shown(networks(), width=26)
    at = told.index("nginx")
    assert told[at : at + 5] == [
        "nginx",
        "   b  app",
        "   -  out of reach: db,",
        "      redis, worker",
        "   ⟶  80",
    ]
    assert max(map(len, told)) <= 26


def test_services_on_two_networks_together_have_both_letters() -> None:
    found = networks(network("one", "a", "b"), network("two", "a", "b"), network("three", "c"))
    assert "a      ab  -" in shown(found)


@pytest.mark.parametrize(
    "found",
    [
        networks(network("shared", "api", "web", isShared=True)),
        networks(network("default", "api", "web")),
        {**networks(), "networks": [], "published": [], "hostNetwork": ["api", "web"]},
    ],
)
def test_where_nothing_keeps_them_apart_it_says_so(found: Json) -> None:
    assert "every service reaches every other one: nothing keeps them apart" in shown(found)
    assert "no port leads in" in shown(found)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "with a way out"),
        ({"isInternal": True}, "internal: no way out"),
        ({"isExternal": True}, "with a way out; external: others may be on it, too"),
        ({"isShared": True}, "of all services, with a way out"),
    ],
)
def test_what_a_network_is(changes: Json, told: str) -> None:
    assert shown(networks(network("net", "app", **changes)))[0] == f"a  net  {told}"


def test_further_names_and_who_is_inside_another_one() -> None:
    found = networks(network("net", "db", "app/vpn"))
    found["networks"][0]["services"][0]["aliases"] = ["database", "postgres"]
    assert shown(found)[1] == "   db (also database and postgres), app (inside vpn)"


def test_the_machine_is_a_group_of_its_own_and_no_network_is_told() -> None:
    found = networks(network("net", "app"), hostNetwork=["agent"], none=["lonely"])
    told = shown(found)
    assert told[2:5] == [
        "b  this machine  its own network",
        "   agent",
        "on no network at all: lonely",
    ]
    assert "lonely  -      -" in told


def test_ways_in_are_told_with_their_address() -> None:
    ports = [
        {"serviceName": "a", "host": "::1", "port": 80, "target": 8080, "protocol": "tcp"},
        {"serviceName": "a", "host": "127.0.0.1", "port": 53, "target": 53, "protocol": "udp"},
        {"serviceName": "b", "host": "", "port": None, "target": 9, "protocol": "tcp"},
    ]
    told = shown(networks(network("x", "a"), network("y", "b", "c"), published=ports),
                 b="http://b.localhost", c="http://c.localhost")  # fmt: skip
    assert told[-4:] == [
        "[::1]:80            ⟶  a  port 8080",
        "127.0.0.1:53/udp    ⟶  a  port 53/udp",
        "any free port       ⟶  b  port 9",
        "http://c.localhost  ⟶  c",
    ]
    assert "a     -  -  80, 53/udp" in told
    assert "c  -  b     by name" in told


def test_nothing_active_says_so() -> None:
    found = {**networks(), "networks": [], "published": []}
    assert shown(found) == ["nothing is active: nobody reaches anybody"]


def test_every_network_has_a_letter_of_its_own() -> None:
    found = networks(*(network(f"net{number}", "app") for number in range(60)))
    signs = [each.sign for each in groups_of(found)]
    assert len(set(signs)) == 60
    assert (signs[0], signs[26]) == ("a", "a1")


def test_ascii_has_only_ascii() -> None:
    for width in (26, 38, 76):
        assert "".join(shown(networks(), width, ASCII)).isascii()


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("width", [24, 100])
def test_any_name_stays_text(text: str, width: int) -> None:
    found = networks(network(text, text, "app"), network("other", "db"), none=["x"])
    assert any(text[:8] in line for line in shown(found, width))
