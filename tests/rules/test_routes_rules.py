"""`compartment.routes.yml`, rule by rule of sections 2.1 to 2.4 of the specification.

Messages and places of problems are in `tests/config/test_routes_file.py`, more edge cases and what
holds for any request in `tests/config/test_routes.py`; that the gateway does the same is in
`tests/e2e/test_routes_equal.py`.
"""

from __future__ import annotations

import pytest

from core.config.routes import match, prefix_of
from core.config.routes_file import RoutesModel, route_rules
from core.config.yaml import read_yaml
from core.model import ServiceKind
from tests.config.checks import routes_problems

KINDS: dict[str, ServiceKind | None] = {str(kind): kind for kind in ServiceKind}
RULE = "on: web, path: /a/*, to: api"


def is_valid(rule: str) -> bool:
    return routes_problems(f"version: 1\nroutes:\n  - {{{rule}}}\n", KINDS) == []


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        pytest.param(f"version: 1\nroutes: [{{{RULE}}}]", True, id="version and routes"),
        pytest.param(f"routes: [{{{RULE}}}]", False, id="version is required"),
        pytest.param(f"version: 2\nroutes: [{{{RULE}}}]", False, id="version is exactly 1"),
        pytest.param(f'version: "1"\nroutes: [{{{RULE}}}]', False, id="version is a number"),
        pytest.param("version: 1", False, id="routes is required"),
        pytest.param("version: 1\nroutes: []", False, id="routes is not empty"),
        pytest.param(
            "version: 1\nroutes:\n" + f"  - {{{RULE}}}\n" * 1000, True, id="routes has no maximum"
        ),
        pytest.param(f"version: 1\nroutes: [{{{RULE}}}]\nx: 1", False, id="the file is strict"),
    ],
)
def test_2_1_the_file(text: str, valid: bool) -> None:
    assert (routes_problems(text, KINDS) == []) is valid


@pytest.mark.parametrize(
    ("rule", "valid"),
    [
        pytest.param("path: /a, to: api", False, id="on is required"),
        pytest.param("on: Web, path: /a, to: api", False, id="on is the name of a service"),
        pytest.param("on: none, path: /a, to: api", False, id="on exists"),
        pytest.param("on: worker, path: /a, to: api", False, id="on is routable: no worker"),
        pytest.param("on: job, path: /a, to: api", False, id="on is routable: no job"),
        pytest.param("on: cron, path: /a, to: api", False, id="on is routable: no cron"),
        pytest.param("on: api, path: /a, to: web", True, id="on may be an api"),
        pytest.param("on: web, to: api", False, id="path is required"),
        pytest.param('on: web, path: "", to: api', False, id="path is not empty"),
        pytest.param("on: web, path: a, to: api", False, id="path starts with a slash"),
        pytest.param("on: web, path: /a", False, id="to is required"),
        pytest.param("on: web, path: /a, to: none", False, id="to exists"),
        pytest.param("on: web, path: /a, to: job", False, id="to is routable"),
        pytest.param("on: web, path: /a, to: web", True, id="to may be on"),
        pytest.param(f"{RULE}, methods: []", False, id="methods are not empty"),
        pytest.param(f"{RULE}, methods: [get]", False, id="methods are in capitals"),
        pytest.param(
            f"{RULE}, methods: [DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT]", True,
            id="all methods that there are",
        ),
        pytest.param(f"{RULE}, methods: [TRACE]", False, id="TRACE cannot be listed"),
        pytest.param(f"{RULE}, methods: [CONNECT]", False, id="nor CONNECT"),
        pytest.param(f"{RULE}, methods: [GET, GET]", True, id="a method may be given twice"),
        pytest.param(f"{RULE}, stripPrefix: /a", True, id="stripPrefix"),
        pytest.param(f"{RULE}, replacePrefix: /b", True, id="replacePrefix"),
        pytest.param(f"{RULE}, rewrite: /b", True, id="rewrite"),
        pytest.param(f"{RULE}, stripPrefix: /a, rewrite: /b", False, id="at most one transform"),
        pytest.param(f"{RULE}, stripPrefix: /a, replacePrefix: /b", False, id="whichever"),
        pytest.param(f"{RULE}, rewrite: b", False, id="a transform starts with a slash"),
        pytest.param(f"{RULE}, replacePrefix: /b/*", False, id="and does not end in a star"),
        pytest.param(
            "on: web, path: /a, to: api, stripPrefix: /a", False,
            id="stripPrefix needs a prefix path",
        ),
        pytest.param(
            "on: web, path: /a, to: api, replacePrefix: /a", False, id="so does replacePrefix"
        ),
        pytest.param("on: web, path: /a, to: api, rewrite: /b", True, id="rewrite does not"),
        pytest.param(f"{RULE}, stripPrefix: /a/", False, id="stripPrefix is byte for byte"),
        pytest.param(f"{RULE}, rewrite: /b?x=1", False, id="no query in a transform"),
        pytest.param(f"{RULE}, x: 1", False, id="a rule is strict"),
    ],
)  # fmt: skip
def test_2_1_a_rule(rule: str, valid: bool) -> None:
    assert is_valid(rule) is valid


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(RULE, id="the same rule twice"),
        pytest.param("on: web, path: /a/b, to: api", id="one that is never reached"),
        pytest.param("on: api, path: /a/*, to: web", id="a circle"),
    ],
)
def test_2_1_what_is_not_checked(second: str) -> None:
    text = f"version: 1\nroutes: [{{{RULE}}}, {{{second}}}]"

    assert routes_problems(text, KINDS) == []


def decided(rules: str, request: str) -> tuple[str, str] | None:
    """Who handles a request for web, and what it sees; None where it is refused."""
    text = "version: 1\nroutes:\n" + "".join(f"  - {{{each}}}\n" for each in rules.splitlines())
    model = RoutesModel.model_validate(read_yaml(text.encode(), "f").data)
    method, _, target = request.partition(" ")
    found = match(route_rules(model), "web", method, target)
    return (found.to, found.upstream) if found else None


@pytest.mark.parametrize(
    ("path", "prefix"),
    [
        pytest.param("/api/*", "/api", id="/* makes a prefix of what stands before it"),
        pytest.param("/*", "/", id="/* alone is the prefix /"),
        pytest.param("/api", None, id="anything else is exact"),
        pytest.param("/a*", None, id="a star without its slash is a letter"),
        pytest.param("/a/*/b", None, id="and so is one inside"),
    ],
)
def test_2_2_path_forms(path: str, prefix: str | None) -> None:
    assert prefix_of(path) == prefix


@pytest.mark.parametrize(
    ("path", "request_path", "matches"),
    [
        pytest.param("/api/*", "/api", True, id="a prefix matches itself"),
        pytest.param("/api/*", "/api/", True, id="with a slash"),
        pytest.param("/api/*", "/api/x/y", True, id="and all below"),
        pytest.param("/api/*", "/apiary", False, id="whole segments only"),
        pytest.param("/*", "/x/y", True, id="the prefix / matches all"),
        pytest.param("/a", "/a", True, id="exact"),
        pytest.param("/a", "/a/", False, id="a slash at the end counts"),
        pytest.param("/a", "/A", False, id="case counts"),
        pytest.param("/a", "/%61", False, id="nothing is decoded"),
        pytest.param("/a*", "/ab", False, id="a star is a letter"),
        pytest.param("/a/*/b", "/a/*/b", True, id="that matches itself"),
        pytest.param("/a", "/a?b", True, id="the query does not count"),
    ],
)
def test_2_2_matching(path: str, request_path: str, matches: bool) -> None:
    found = decided(f'on: web, path: "{path}", to: api', f"GET {request_path}")

    assert found == ("api" if matches else "web", request_path)


@pytest.mark.parametrize(
    ("rules", "request_line", "expected"),
    [
        pytest.param(
            "on: web, path: /a, to: api", "GET //a", None, id="2: not two slashes at the start"
        ),
        pytest.param("on: web, path: /*, to: api", "GET a", None, id="2: a slash at the start"),
        pytest.param("on: web, path: /*, to: api", "GET /a\\b", None, id="2: no backslash"),
        pytest.param("on: web, path: /*, to: api", "GET /a%2Fb", None, id="2: no encoded slash"),
        pytest.param("on: web, path: /*, to: api", "GET /a%5cb", None, id="2: or backslash"),
        pytest.param("on: web, path: /*, to: api", "GET /a/../b", None, id="2: no segment .."),
        pytest.param("on: web, path: /*, to: api", "GET /./a", None, id="2: no segment ."),
        pytest.param("on: web, path: /*, to: api", "GET /a/.%2E", None, id="2: encoded dots too"),
        pytest.param("on: web, path: /*, to: api", "GET /a,/b", None, id="2: no merged values"),
        pytest.param(
            "on: web, path: /*, to: api", "GET /a?/../%2f", ("api", "/a?/../%2f"),
            id="2: of the path, not of the query",
        ),
        pytest.param(
            "on: api, path: /*, to: api\non: web, path: /b, to: api", "GET /a", ("web", "/a"),
            id="3: rules of this service only",
        ),
        pytest.param(
            "on: web, path: /a/*, to: api, rewrite: /1\non: web, path: /a/b, to: api, rewrite: /2",
            "GET /a/b", ("api", "/1"),
            id="3: the first in the order of the file, not the longest",
        ),
        pytest.param(
            "on: web, path: /a, to: api, methods: [POST]\non: web, path: /a, to: web, rewrite: /2",
            "GET /a", ("web", "/2"),
            id="3: another method goes on to the next rule",
        ),
        pytest.param(
            "on: web, path: /a, to: api, methods: [GET]", "get /a", ("api", "/a"),
            id="3: the method in any case",
        ),
        pytest.param(
            "on: web, path: /a, to: api", "PROPFIND /a", ("api", "/a"),
            id="3: any method without methods",
        ),
        pytest.param(
            "on: web, path: /a, to: api, methods: [GET]", "HEAD /a", ("web", "/a"),
            id="3: GET does not imply HEAD",
        ),
        pytest.param(
            "on: web, path: /a, to: api\non: api, path: /a, to: web, rewrite: /2", "GET /a",
            ("api", "/a"),
            id="6: a single hop",
        ),
        pytest.param(
            "on: web, path: /a, to: api", "GET /b//c/?d", ("web", "/b//c/?d"),
            id="7: no rule, the service itself, untouched",
        ),
    ],
)  # fmt: skip
def test_2_3_evaluation(rules: str, request_line: str, expected: tuple[str, str] | None) -> None:
    assert decided(rules, request_line) == expected


@pytest.mark.parametrize(
    ("rule", "request_path", "upstream"),
    [
        ("path: /api/*", "/api/u?x=1", "/api/u?x=1"),
        ("path: /api/*, stripPrefix: /api", "/api", "/"),
        ("path: /api/*, stripPrefix: /api", "/api/", "/"),
        ("path: /api/*, stripPrefix: /api", "/api?x=1", "/?x=1"),
        ("path: /api/*, stripPrefix: /api", "/api/users/7?x=1", "/users/7?x=1"),
        ("path: /api/*, stripPrefix: /api", "/api//x", "//x"),
        ("path: /api/*, replacePrefix: /v2", "/api", "/v2"),
        ("path: /api/*, replacePrefix: /v2", "/api/", "/v2/"),
        ("path: /api/*, replacePrefix: /v2", "/api/u", "/v2/u"),
        ("path: /api/*, replacePrefix: /v2/", "/api", "/v2/"),
        ("path: /api/*, replacePrefix: /v2/", "/api/u", "/v2/u"),
        ("path: /api/*, replacePrefix: /", "/api", "/"),
        ("path: /api/*, replacePrefix: /", "/api/u", "/u"),
        ("path: /*, stripPrefix: /", "/", "/"),
        ("path: /*, stripPrefix: /", "/x", "/x"),
        ("path: /*, replacePrefix: /app", "/", "/app"),
        ("path: /*, replacePrefix: /app", "/x", "/app/x"),
        ("path: /health, rewrite: /ready", "/health?full=1", "/ready?full=1"),
        ("path: /old/*, rewrite: /new", "/old/a/b", "/new"),
    ],
)
def test_2_4_upstream_path(rule: str, request_path: str, upstream: str) -> None:
    assert decided(f"on: web, to: api, {rule}", f"GET {request_path}") == ("api", upstream)


@pytest.mark.parametrize(
    ("rule", "request_path"),
    [
        ("path: /api/*, stripPrefix: /api", "/apiary"),
        ("path: /api//*, stripPrefix: /api/", "/api/x"),
    ],
)
def test_2_4_no_match(rule: str, request_path: str) -> None:
    assert decided(f"on: web, to: api, {rule}", f"GET {request_path}") == ("web", request_path)
