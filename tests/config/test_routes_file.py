from __future__ import annotations

import pytest

from core.config.routes_file import RoutesModel, route_rules
from core.config.yaml import read_yaml
from core.model import RouteRule, ServiceKind, Transform
from tests.config.checks import routes_problems

KINDS = {
    "web": ServiceKind.WEB,
    "api": ServiceKind.API,
    "worker": ServiceKind.WORKER,
    "job": ServiceKind.JOB,
    "cron": ServiceKind.CRON,
    "broken": None,
}
EXPECTED_PATH = 'use a path that begins with "/", in visible ASCII without "?" and "#"'


def problems_of(rule: str) -> list[str]:
    return routes_problems(f"version: 1\nroutes:\n  - {rule}\n", KINDS)


def test_rules_in_their_order() -> None:
    text = """\
version: 1
routes:
  - on: web
    path: /api/*
    to: api
    stripPrefix: /api
  - {on: web, path: /health, to: api, rewrite: /ready, methods: [GET, HEAD, GET]}
  - {on: api, path: /v1/*, to: api, replacePrefix: /v2/}
  - {on: web, path: /*, to: broken}
"""
    model = RoutesModel.model_validate(read_yaml(text.encode(), "f").data)

    assert routes_problems(text, KINDS) == []
    assert route_rules(model) == (
        RouteRule("web", "/api/*", "api", (), Transform.STRIP_PREFIX, "/api"),
        RouteRule("web", "/health", "api", ("GET", "HEAD", "GET"), Transform.REWRITE, "/ready"),
        RouteRule("api", "/v1/*", "api", (), Transform.REPLACE_PREFIX, "/v2/"),
        RouteRule("web", "/*", "broken"),
    )


@pytest.mark.parametrize(
    "rule",
    [
        "{on: web, path: /x, to: web}",
        "{on: web, path: /a*, to: api}",
        "{on: web, path: /a/*/b, to: api, rewrite: /b/*c}",
        "{on: web, path: /*, to: api, stripPrefix: /}",
        "{on: web, path: /api//*, to: api, stripPrefix: /api/}",
        "{on: web, path: /a%20b/~, to: api}",
        "{on: web, path: /x, to: api, methods: [DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT]}",
    ],
)
def test_accepted(rule: str) -> None:
    assert problems_of(rule) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[]", "1:1: the file must be a mapping of keys to values, not a list"),
        ("version: 1", '1:1: "routes" is missing'),
        ("version: 1\nroutes: []", '2:9: "routes" must not be empty'),
        ("version: 1\nroutes: {}", '2:9: "routes" must be a list, not a mapping'),
        ("version: 1\nroutes:", '2:8: "routes" is empty (give it a value, or remove it)'),
        ("version: 1\nroutes: [5]", '2:10: "routes[0]" must be a mapping of keys to values, not 5'),
    ],
)
def test_shape_of_the_file(text: str, expected: str) -> None:
    assert routes_problems(text, KINDS) == [expected]


@pytest.mark.parametrize(
    ("version", "shown"),
    [("2", "2"), ("1.0", "1.0"), ('"1"', '"1"'), ("true", "true"), ("01", '"01"')],
)
def test_version_is_exactly_1(version: str, shown: str) -> None:
    text = f"version: {version}\nroutes:\n  - {{on: web, path: /x, to: api}}\n"

    assert routes_problems(text, KINDS) == [f'1:10: "version" must be 1, not {shown}']


def test_version_is_required() -> None:
    text = "routes:\n  - {on: web, path: /x, to: api}\n"

    assert routes_problems(text, KINDS) == ['1:1: "version" is missing']


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("{path: /x, to: api}", '3:5: "on" is missing in "routes[0]"'),
        ("{on: web, to: api}", '3:5: "path" is missing in "routes[0]"'),
        ("{on: web, path: /x}", '3:5: "to" is missing in "routes[0]"'),
        ("{on: web, path: x, to: api}", f'3:21: "path" cannot be "x" ({EXPECTED_PATH})'),
        ('{on: web, path: "", to: api}', f'3:21: "path" cannot be empty text ({EXPECTED_PATH})'),
        ("{on: web, path: /x?y, to: api}", f'3:21: "path" cannot be "/x?y" ({EXPECTED_PATH})'),
        ("{on: web, path: /x#y, to: api}", f'3:21: "path" cannot be "/x#y" ({EXPECTED_PATH})'),
        ("{on: web, path: /é, to: api}", f'3:21: "path" cannot be "/é" ({EXPECTED_PATH})'),
        ("{on: web, path: /x y, to: api}", f'3:21: "path" cannot be "/x y" ({EXPECTED_PATH})'),
        ("{on: web, path: 5, to: api}", '3:21: "path" must be text, not 5 (put it in quotes)'),
        (
            "{on: web, path: /x, to: api, rewrite: y}",
            f'3:43: "rewrite" cannot be "y" ({EXPECTED_PATH[:9]}',
        ),
        ("{on: web, path: /x, to: api, rewrite: /y?a=1}", '3:43: "rewrite" cannot be "/y?a=1"'),
        ("{on: web, path: /x, to: api, rewrite: /y#a}", '3:43: "rewrite" cannot be "/y#a"'),
        (
            "{on: web, path: /x, to: api, rewrite: /y/*}",
            '3:43: "rewrite" must not end with "/*": it is one concrete path',
        ),
        (
            "{on: web, path: /x/*, to: api, replacePrefix: /y/*}",
            '3:51: "replacePrefix" must not end with "/*": it is one concrete path',
        ),
        (
            "{on: web, path: /x, to: api, replacePrefix: /y}",
            '3:21: "replacePrefix" needs a path that ends with "/*"',
        ),
        (
            "{on: web, path: /x, to: api, stripPrefix: /x}",
            '3:21: "stripPrefix" needs a path that ends with "/*"',
        ),
        (
            "{on: web, path: /x/*, to: api, stripPrefix: /x/}",
            '3:49: "stripPrefix" must be exactly the prefix of the path, "/x"',
        ),
        (
            "{on: web, path: /x/*, to: api, stripPrefix: /}",
            '3:49: "stripPrefix" must be exactly the prefix of the path, "/x"',
        ),
        (
            "{on: web, path: /x/*, to: api, stripPrefix: /x, rewrite: /y}",
            '3:53: "rewrite" and "stripPrefix" cannot be used together (keep one of them)',
        ),
        (
            "{on: web, path: /x/*, to: api, rewrite: /y, replacePrefix: /z}",
            '3:36: "rewrite" and "replacePrefix" cannot be used together (keep one of them)',
        ),
        (
            "{on: web, path: /x/*, to: api, stripPrefix: /x, replacePrefix: /z}",
            '3:53: "stripPrefix" and "replacePrefix" cannot be used together (keep one of them)',
        ),
        ("{on: web, path: /x, to: api, methods: []}", '3:43: "methods" must not be empty'),
        ("{on: web, path: /x, to: api, methods: GET}", '3:43: "methods" must be a list, not "GET"'),
        (
            "{on: web, path: /x, to: api, methods: [GET, post]}",
            '3:49: "methods[1]" must be one of DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT,'
            ' not "post" (did you mean "POST"?)',
        ),
        ("{on: web, path: /x, to: api, methods: [TRACE]}", '3:44: "methods[0]" must be one of DEL'),
        ("{on: web, path: /x, to: api, methods: [CONNECT]}", '3:44: "methods[0]" must be one of '),
        ("{on: web, path: /x, to: api, methods: ~}", '3:43: "methods" is empty (give it a value,'),
        ("{on: web, path: /x, to: api, method: GET}", '3:34: unknown key "method" (did you mean "'),
        ("{on: web, path: /x, to: api, strip: /x}", '3:34: unknown key "strip" (did you mean "str'),
        ("{on: wb, path: /x, to: api}", '3:10: there is no service "wb" (did you mean "web"?)'),
        ("{on: web, path: /x, to: aip}", '3:29: there is no service "aip" (did you mean "api"?)'),
        ("{on: web, path: /x, to: zzz}", '3:29: there is no service "zzz" (valid: api, broken, '),
        (
            "{on: worker, path: /x, to: api}",
            '3:10: the service "worker" is of kind worker, which takes no requests'
            " (only web and api services are routable)",
        ),
        ("{on: web, path: /x, to: job}", '3:29: the service "job" is of kind job, which takes no'),
        ("{on: cron, path: /x, to: web}", '3:10: the service "cron" is of kind cron, which takes'),
    ],
)
def test_rule(rule: str, expected: str) -> None:
    (problem,) = problems_of(rule)

    assert problem.startswith(expected)


def test_services_are_not_judged_when_none_are_known() -> None:
    text = "version: 1\nroutes:\n  - {on: nothing, path: /x, to: nowhere}\n"

    assert routes_problems(text, None) == []


def test_all_problems_together() -> None:
    text = """\
version: 2
routes:
  - {on: wb, path: x, to: job, rewrite: /a/*}
  - {on: web, path: /x, to: api, stripPrefix: /x, extra: 1}
"""
    assert [problem.partition(":")[0] for problem in routes_problems(text, KINDS)] == [
        *("1", "3", "3", "3", "3", "4", "4"),
    ]
