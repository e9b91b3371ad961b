"""The reference matcher: edges beyond `tests/rules`, and what any request must obey."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core.config.routes import Decision, is_safe, match, prefix_of
from core.model import RouteRule, Transform

STRIP, REPLACE, REWRITE = Transform.STRIP_PREFIX, Transform.REPLACE_PREFIX, Transform.REWRITE


def rule(
    path: str,
    transform: Transform | None = None,
    value: str | None = None,
    *,
    on: str = "web",
    to: str = "api",
    methods: tuple[str, ...] = (),
) -> RouteRule:
    return RouteRule(on, path, to, methods, transform, value)


def upstream(one: RouteRule, target: str) -> str | None:
    """Return what the target of a rule sees, or None if the rule does not take the request."""
    decision = match([one], "web", "GET", target)
    assert decision is not None
    if decision.rule is None:
        assert decision == Decision(None, "web", target)
        return None
    assert decision.to == "api"
    return decision.upstream


@pytest.mark.parametrize(
    ("one", "target", "expected"),
    [
        (rule("/api/*"), "/api/u?x", "/api/u?x"),
        (rule("/api/*"), "/api?", "/api?"),
        (rule("/api/*"), "/API/u", None),
        (rule("/api/*"), "/%61pi/u", None),
        (rule("/health"), "/health", "/health"),
        (rule("/health"), "/health/", None),
        (rule("/health"), "/health/x", None),
        (rule("/health/"), "/health", None),
        (rule("/a*"), "/ab", None),
        (rule("/a*"), "/a*", "/a*"),
        (rule("/a/*/b"), "/a/x/b", None),
        (rule("/a/*/b"), "/a/*/b", "/a/*/b"),
        (rule("/*"), "/", "/"),
        (rule("/*"), "/x/y", "/x/y"),
        (rule("/*", STRIP, "/"), "/x/", "/x/"),
        (rule("/*", REPLACE, "/app/"), "/", "/app/"),
        (rule("/*", REPLACE, "/app/"), "/x/", "/app/x/"),
        (rule("/*", REPLACE, "/"), "/x", "/x"),
        (rule("/api//*", STRIP, "/api/"), "/api/", "/"),
        (rule("/api//*", STRIP, "/api/"), "/api//x", "/x"),
        (rule("/a/*", STRIP, "/a"), "/a/a/b?q=/a/", "/a/b?q=/a/"),
        (rule("/a/*", STRIP, "/a"), "/a?x=%2f..\\//", "/?x=%2f..\\//"),
        (rule("/a", REWRITE, "/b"), "/a?x?y", "/b?x?y"),
    ],
)
def test_edge_cases(one: RouteRule, target: str, expected: str | None) -> None:
    assert upstream(one, target) == expected


def test_first_rule_of_the_service_wins() -> None:
    rules = [
        rule("/api/*", on="other", to="a"),
        rule("/api/v1/*", to="b"),
        rule("/api/*", to="c"),
        rule("/api/v1/x", to="d"),
    ]

    def to(target: str) -> str:
        decision = match(rules, "web", "GET", target)
        assert decision is not None
        return decision.to

    assert [to("/api/v1/x"), to("/api/x"), to("/x")] == ["b", "c", "web"]


@pytest.mark.parametrize(
    ("method", "to"),
    [("GET", "api"), ("get", "api"), ("POST", "api"), ("HEAD", "any"), ("TRACE", "any")],
)
def test_method_is_part_of_the_match(method: str, to: str) -> None:
    rules = [rule("/x", methods=("GET", "POST")), rule("/x", to="any")]

    decision = match(rules, "web", method, "/x")

    assert decision is not None
    assert decision.to == to


def test_a_rule_may_lead_to_its_own_service() -> None:
    own = rule("/x", REWRITE, "/y", to="web")

    assert match([own, rule("/y")], "web", "GET", "/x") == Decision(own, "web", "/y")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/a",
        "/a/",
        "/a//b",
        "/a..b",
        "/..a",
        "/a.",
        "/...",
        "/%2e%2e%2e",
        "/%41",
        "/a,b",
        "/~!$&'()*+;=:@|",
    ],
)
def test_safe(path: str) -> None:
    assert is_safe(path)


@pytest.mark.parametrize(
    "path",
    [
        *("", "*", "a", "a/b", "//", "//a", "http://a/b"),
        *("/a\\b", "/a%2fb", "/a%2Fb", "/a%5cb", "/a%5C"),
        *("/.", "/..", "/./a", "/a/../b", "/a/..", "/a/."),
        *("/%2e", "/%2E%2e/a", "/a/.%2e/b", "/a/%2E./b", "/a/%2e"),
        *("/a b", "/a\tb", "/a\r\nb", "/a\0", "/a\x7f", "/\xe9", "/\u20ac", "/a#b"),
        *("/a,/b", "/a, /b"),
    ],
)
def test_unsafe(path: str) -> None:
    assert not is_safe(path)
    assert match([rule("/*")], "web", "GET", path) is None
    assert match([], "web", "GET", f"{path}?x=1") is None


def test_a_fragment_is_refused_anywhere() -> None:
    assert match([], "web", "GET", "/a?b#c") is None


@pytest.mark.parametrize(
    ("path", "prefix"),
    [("/api/*", "/api"), ("/*", "/"), ("/api//*", "/api/"), ("/api", None), ("/a*", None)],
)
def test_prefix(path: str, prefix: str | None) -> None:
    assert prefix_of(path) == prefix


requests = st.text("ab/.%2ef", max_size=12).map(lambda text: f"/{text}")
prefixes = st.text("ab/", max_size=5).map(lambda text: f"/{text}")
values = st.text("ab/", max_size=5).map(lambda text: f"/{text}")


@settings(max_examples=300, derandomize=True, deadline=None)
@given(prefixes, requests, st.sampled_from(["", "?", "?x=1", "?/../"]))
def test_strip_is_replace_by_nothing(prefix: str, path: str, query: str) -> None:
    assume(is_safe(path))
    one = rule("/*" if prefix == "/" else f"{prefix}/*", STRIP, prefix)

    found = upstream(one, path + query)

    if found is None:
        assert path != prefix
        assert not path.startswith(f"{prefix}/")
    else:
        assert found.startswith("/")
        assert found.endswith(query)
        kept = found.removesuffix(query)
        base = "" if prefix == "/" else prefix
        assert base + kept == path or (path == prefix and kept == "/")


@settings(max_examples=300, derandomize=True, deadline=None)
@given(prefixes, values, requests)
def test_replace_puts_the_value_before_the_rest(prefix: str, value: str, path: str) -> None:
    assume(is_safe(path))
    one = rule("/*" if prefix == "/" else f"{prefix}/*", REPLACE, value)

    found = upstream(one, path)

    assert found is None or found.startswith(value.removesuffix("/"))
    assert found is None or found.startswith("/")
