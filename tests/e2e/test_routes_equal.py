"""The gateway's routes mean what the reference matcher says, over generated rules and requests."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.config.routes import match, prefix_of
from core.files import Home
from core.gateway.gateway import Gateway
from core.gateway.table import Ports, Site, Table, Upstream
from core.model import RouteRule, Transform
from tests.e2e.clients import get
from tests.e2e.echo import echo
from tests.load.plan import Target

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SERVICES = ("web", "api", "other")
HOST = "lab.localhost"

SEGMENTS = (
    *("api", "API", "v2", "a", "ab", "a.b", "a..b", "...", "", "%61", "%20", "%31", "a*", "*"),
    *("a+b", "(a)", "$1", "[a]", "a|b", "^", "~", ";x=1", "a,b", "@", "a:b", "{a}", "a{2}"),
)
segments = st.sampled_from(SEGMENTS)
odd_segments = st.sampled_from(
    [
        ".",
        "..",
        "%2e",
        "%2E%2e",
        ".%2E",
        "a%2fb",
        "a%5Cb",
        "\\",
        "a\\b",
        "%2F",
        "a,",
        "..;",
        "%2e%2e%2e",
    ]
)
paths = st.lists(segments, max_size=4).map(lambda parts: "/" + "/".join(parts))
queries = st.sampled_from(["", "?", "?x=1", "?a=/../b", "?x=%2f%2e%2e", "?x=1?y=2", "?next=//h/p"])
methods = st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])


@st.composite
def rules(draw: st.DrawFn) -> RouteRule:
    path = draw(paths)
    is_prefix = draw(st.booleans())
    if is_prefix:
        path = path.rstrip("/") + "/*"
    elif path.endswith("/*"):
        path += "x"
    allowed = draw(st.lists(methods, max_size=2).map(tuple))
    transform, value = draw(transforms(path, is_prefix=is_prefix))
    to = draw(st.sampled_from(SERVICES))
    return RouteRule("web", path, to, allowed, transform, value)


@st.composite
def transforms(
    draw: st.DrawFn, path: str, *, is_prefix: bool
) -> tuple[Transform | None, str | None]:
    kinds = [None, Transform.REWRITE]
    if is_prefix:
        kinds += [Transform.STRIP_PREFIX, Transform.REPLACE_PREFIX]
    kind = draw(st.sampled_from(kinds))
    if kind is None:
        return None, None
    if kind is Transform.STRIP_PREFIX:
        return kind, prefix_of(path)
    return kind, draw(paths.filter(lambda value: not value.endswith("/*")))


@st.composite
def requests(draw: st.DrawFn, given_rules: list[RouteRule]) -> tuple[str, str]:
    """A method and a target, most of them near one of the rules."""
    bases = [prefix_of(rule.path) or rule.path for rule in given_rules] + ["/", ""]
    base = draw(st.sampled_from(bases))
    odd = odd_segments.map("/{}".format)
    rest = draw(st.one_of(st.just(""), st.just("/"), paths, segments, odd))
    path = base + rest
    target = (path if path.startswith("/") else "/" + path) + draw(queries)
    return draw(methods), target


@asynccontextmanager
async def running_gateway(home: Home) -> AsyncIterator[tuple[Gateway, Table]]:
    """A real Envoy, and the table it starts with: one site, three services that echo."""
    home.create()
    gateway = Gateway(home.gateway, home.sockets / "envoy.sock", Ports(0, 0))
    async with AsyncExitStack() as stack:
        upstreams = []
        for name in SERVICES:
            address = await stack.enter_async_context(echo(name))
            upstreams.append(Upstream(f"dep_{name}.1", (address,)))
        live = {name: f"dep_{name}.1" for name in SERVICES}
        site = Site(HOST, "web", is_public=True, rules=(), live=live)
        table = Table((site,), tuple(upstreams))
        try:
            await gateway.start(table)
            yield gateway, table
        finally:
            await gateway.envoy.stop()
            await gateway.close()


def serving(table: Table, given_rules: list[RouteRule]) -> Table:
    """The same table with other rules."""
    (site,) = table.sites
    return Table((replace(site, rules=tuple(given_rules)),), table.upstreams)


async def check(gateway: Gateway, given_rules: list[RouteRule], method: str, target: str) -> str:
    """Compares one request; says what became of it."""
    async with asyncio.timeout(60):
        reply = await get(Target("127.0.0.1", gateway.ports.public, HOST), target, method)
    expected = match(given_rules, "web", method, target)
    if expected is None:
        # Some of what is unsafe is no HTTP either, which the gateway says with a 400.
        assert reply.status in (400, 404), (target, reply)
        return "refused"
    told = json.loads(reply.headers["x-echo"])
    assert (told["to"], told["target"], told["method"]) == (expected.to, expected.upstream, method)
    return "ruled" if expected.rule else "unruled"


@pytest.mark.timeout(120)
def test_the_gateway_is_the_reference_matcher(home: Path) -> None:
    seen: dict[str, int] = {}
    with asyncio.Runner() as runner:
        running = running_gateway(Home(home))
        gateway, table = runner.run(running.__aenter__())
        try:

            @settings(
                max_examples=150, deadline=None, suppress_health_check=list(HealthCheck),
                derandomize=True, database=None,
            )  # fmt: skip
            @given(st.data())
            def equal(data: st.DataObject) -> None:
                given_rules = data.draw(st.lists(rules(), min_size=1, max_size=5))
                asked = data.draw(st.lists(requests(given_rules), min_size=4, max_size=12))

                async def compare() -> None:
                    await gateway.apply(serving(table, given_rules))
                    for method, target in asked:
                        outcome = await check(gateway, given_rules, method, target)
                        seen[outcome] = seen.get(outcome, 0) + 1

                runner.run(compare())

            equal()
        finally:
            runner.run(running.__aexit__(None, None, None))
    # All three outcomes were really met.
    assert min(seen.get(outcome, 0) for outcome in ("refused", "ruled", "unruled")) > 50, seen


# Spec, 2.4: the table of edge cases, asked of a real gateway.
EDGES = [
    ("/api/*", "stripPrefix", "/api", "/api", "/"),
    ("/api/*", "stripPrefix", "/api", "/api/", "/"),
    ("/api/*", "stripPrefix", "/api", "/api?x=1", "/?x=1"),
    ("/api/*", "stripPrefix", "/api", "/api/users/7?x=1", "/users/7?x=1"),
    ("/api/*", "stripPrefix", "/api", "/api//x", "//x"),
    ("/api/*", "replacePrefix", "/v2", "/api", "/v2"),
    ("/api/*", "replacePrefix", "/v2", "/api/", "/v2/"),
    ("/api/*", "replacePrefix", "/v2", "/api/u", "/v2/u"),
    ("/api/*", "replacePrefix", "/v2/", "/api", "/v2/"),
    ("/api/*", "replacePrefix", "/v2/", "/api/u", "/v2/u"),
    ("/api/*", "replacePrefix", "/", "/api", "/"),
    ("/api/*", "replacePrefix", "/", "/api/u", "/u"),
    ("/*", "stripPrefix", "/", "/", "/"),
    ("/*", "stripPrefix", "/", "/x", "/x"),
    ("/*", "replacePrefix", "/app", "/", "/app"),
    ("/*", "replacePrefix", "/app", "/x", "/app/x"),
    ("/health", "rewrite", "/ready", "/health?full=1", "/ready?full=1"),
    ("/old/*", "rewrite", "/new", "/old/a/b", "/new"),
]


@pytest.mark.timeout(120)
async def test_edges_of_the_spec(home: Path) -> None:
    async with running_gateway(Home(home)) as (gateway, table):
        for path, kind, value, asked, upstream in EDGES:
            rule = RouteRule("web", path, "api", (), Transform(kind), value)
            await gateway.apply(serving(table, [rule]))
            reply = await get(Target("127.0.0.1", gateway.ports.public, HOST), asked)
            assert json.loads(reply.headers["x-echo"])["target"] == upstream, (path, kind, asked)
