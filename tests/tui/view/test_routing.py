from __future__ import annotations

import pytest

from core.config.routes import match
from core.model import RouteRule, Transform
from tui.view.routing import Request, Rules, explain, read_request, rule_of, why_refused

API = RouteRule("web", "/api/*", "api", (), Transform.STRIP_PREFIX, "/api")
ADMIN = RouteRule("web", "/admin", "admin", ("GET", "POST"))
SERVICES = ["web", "admin"]


@pytest.mark.parametrize(
    ("typed", "request_"),
    [
        ("", None),
        ("   ", None),
        ("GET", None),
        ("GET /api/users", Request("web", "GET", "/api/users")),
        ("post /x?a=b", Request("web", "POST", "/x?a=b")),
        ("/x", Request("web", "GET", "/x")),
        ("admin DELETE /x", Request("admin", "DELETE", "/x")),
        ("admin /x", Request("admin", "GET", "/x")),
        ("PURGE /x", Request("web", "PURGE", "/x")),
        ("/a b", Request("web", "GET", "/a b")),
        ("x", Request("web", "GET", "x")),
    ],
)
def test_what_is_typed_is_read_as_a_request(typed: str, request_: Request | None) -> None:
    assert read_request(typed, "web", SERVICES) == request_


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("/api/users?x=1", ["rule 1 takes it (any /api/*): api sees /users?x=1"]),
        ("/admin", ["rule 2 takes it (GET,POST /admin): admin sees /admin"]),
        ("/other", ["no rule takes it: web handles it itself and sees /other"]),
        ("//x", ["refused with 404: it begins with more than one /"]),
    ],
)
def test_a_request_is_explained(target: str, told: list[str]) -> None:
    rules = Rules((API, ADMIN), (API, ADMIN))
    assert explain(rules, Request("web", "GET", target)) == told


def test_a_rule_is_not_taken_for_another_method() -> None:
    told = explain(Rules((ADMIN,), (ADMIN,)), Request("web", "PUT", "/admin"))
    assert told == ["no rule takes it: web handles it itself and sees /admin"]


def test_what_is_live_is_told_apart_only_where_it_differs() -> None:
    rules = Rules((ADMIN, API), (API,))
    assert explain(rules, Request("web", "GET", "/admin")) == [
        "rule 1 takes it (GET,POST /admin): admin sees /admin",
        "live now: no rule takes it: web handles it itself and sees /admin",
    ]
    assert explain(rules, Request("web", "GET", "/zzz")) == [
        "no rule takes it: web handles it itself and sees /zzz"
    ]


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("x", "begins with /"),
        ("//x", "more than one /"),
        ("/a#b", "#"),
        ("/a b", "percent-encoded"),
        ("/ä", "percent-encoded"),
        ("/a\\b", "backslash"),
        ("/a,/b", "comma"),
        ("/a%2Fb", "encoded /"),
        ("/a%5cb", "backslash"),
        ("/a/../b", "segment"),
        ("/a/%2E./b", "segment"),
    ],
)
def test_every_refusal_has_its_reason(target: str, why: str) -> None:
    assert match([], "web", "GET", target) is None
    assert why in why_refused(target)


def test_services_whose_rules_differ_wait() -> None:
    other = RouteRule("admin", "/x", "api")
    assert Rules((API, other), (API,)).waiting == ["admin"]
    assert Rules((API,), (API, other)).waiting == ["admin"]
    assert Rules((API, ADMIN), (ADMIN, API)).waiting == ["web"], "the order counts"
    assert Rules((API, other), (other, API)).waiting == [], "but not between services"
    assert Rules(None, (API,)).waiting == []


def test_rows_have_signs_for_what_is_not_live_yet_and_what_will_be_gone() -> None:
    rows = Rules((ADMIN,), (API,)).rows()
    assert [row for _, row in rows] == [
        ("+", "web", "GET,POST", "/admin", "-> admin", "", "not live yet"),
        ("-", "web", "any", "/api/*", "-> api", "stripPrefix /api", "live until then"),
    ]
    assert len({row_id for row_id, _ in rows}) == 2


def test_a_rule_is_read_as_the_agent_tells_it() -> None:
    told = {"on": "web", "methods": [], "path": "/api/*", "to": "api",
            "transform": "stripPrefix", "value": "/api"}  # fmt: skip
    assert rule_of(told) == API
    assert rule_of({"on": "web", "path": "/x", "to": "api"}) == RouteRule("web", "/x", "api")
