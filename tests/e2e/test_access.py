"""Who gets where: routes, users and the replies that are expected, asked of a real Envoy."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from core.files import Home
from core.gateway.gateway import Gateway
from core.gateway.table import Door, Entrance, Ports, Site, Table, Upstream, User
from core.model import RouteRule, Transform
from core.ports import free_port
from tests.e2e.echo import echo

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.gateway import resources

pytestmark = pytest.mark.timeout(120)

SERVICES = ("web", "api", "other")
PASSWORDS = {"ann": "ann's own secret", "bob@lab": "b:o:b and his colons", "eve": "grüße-an-alle"}

RULES = (
    RouteRule("web", "/api/*", "api", (), Transform.STRIP_PREFIX, "/api"),
    RouteRule("web", "/exact", "api"),
    RouteRule("web", "/post", "api", ("POST",)),
    RouteRule("web", "/other/*", "other"),
    RouteRule("web", "/gone/*", "gone"),
)

Fields = tuple[str, ...]
"""The header fields of a request, each as it is sent."""


def user(name: str) -> User:
    digest = hashlib.sha1(PASSWORDS[name].encode()).digest()  # what Envoy compares
    return User(name, "{SHA}" + base64.b64encode(digest).decode())


def login(name: str = "ann", password: str | None = None, scheme: str = "Basic") -> str:
    known = PASSWORDS.get(name, "") if password is None else password
    token = base64.b64encode(f"{name}:{known}".encode()).decode()
    return f"Authorization: {scheme} {token}"


USERS = tuple(user(name) for name in PASSWORDS)


@dataclass(frozen=True)
class Answer:
    status: int
    fields: Fields
    body: str

    @property
    def challenge(self) -> str | None:
        return self.field("www-authenticate")

    def field(self, name: str) -> str | None:
        found = [each.partition(": ")[2] for each in self.fields if each.startswith(f"{name}: ")]
        return "|".join(found) or None

    @property
    def to(self) -> str | None:
        """The service that answered."""
        told = self.field("x-echo")
        return json.loads(told)["to"] if told else None

    def seen(self, name: str) -> list[str]:
        """What that service was sent in a header field."""
        told = json.loads(self.field("x-echo") or "{}")
        split = [each.partition(":") for each in told["fields"]]
        return [value.strip() for key, _, value in split if key.lower() == name]


@dataclass
class House:
    """A gateway, and what it serves."""

    gateway: Gateway
    table: Table
    doors: dict[str, int]

    @property
    def port(self) -> int:
        return self.gateway.ports.public

    async def ask(
        self,
        path: str,
        *fields: str,
        host: str = "open.localhost",
        method: str = "GET",
        version: str = "1.1",
        port: int | None = None,
    ) -> Answer:
        head = [f"{method} {path} HTTP/{version}", f"Host: {host}", "Connection: close", *fields]
        async with Asker(port or self.port) as asker:
            return await asker.ask(head)


class Asker:
    """One connection."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> Asker:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def ask(self, head: list[str]) -> Answer:
        self._writer.write("\r\n".join([*head, "", ""]).encode())
        async with asyncio.timeout(30):
            told = await self._reader.readuntil(b"\r\n\r\n")
            first, *fields = told.decode("latin-1").rstrip().split("\r\n")
            found = Answer(int(first.split(" ")[1]), tuple(fields), "")
            length = 0 if head[0].startswith("HEAD") else int(found.field("content-length") or 0)
            return replace(found, body=(await self._reader.readexactly(length)).decode())


def site(
    host: str, *needs_login: str, users: tuple[User, ...] = USERS, service: str = "web"
) -> Site:
    """All services are live but the one that is called `gone`."""
    live = {name: f"dep_{name}.1" for name in SERVICES}
    rules = RULES if service == "web" else ()
    public = service == "web"
    return Site(f"{host}.localhost", service, public, rules, live, frozenset(needs_login), users)


DOORS: dict[str, tuple[bool, tuple[User, ...] | None]] = {
    "guarded": (True, USERS),
    "unguarded": (True, None),
    "nobody": (True, ()),
    "inner": (False, None),
}
"""Ways past the hosts: whether a door is published, and whose it is."""


def _entrance(name: str, port: int) -> Entrance:
    is_published, users = DOORS[name]
    door = Door(name, "127.0.0.1", port, is_published=is_published)
    return Entrance(name, (door,), "dep_web.1", users=users)


@asynccontextmanager
async def opened(root: Path) -> AsyncIterator[House]:
    home = Home(root)
    home.create()
    gateway = Gateway(home.gateway, home.sockets / "envoy.sock", Ports(0, 0))
    taken: set[int] = set()
    doors = {}
    for name in DOORS:
        doors[name] = free_port(taken)
        taken.add(doors[name])
    async with AsyncExitStack() as stack:
        upstreams = [
            Upstream(f"dep_{name}.1", (await stack.enter_async_context(echo(name)),))
            for name in SERVICES
        ]
        table = Table(
            (
                site("open", "api", "gone"),
                site("shut", "web", "api"),
                site("empty", "web", "api", users=()),
                replace(site("away", "web"), live={}),
                site("api", "api", service="api"),
            ),
            tuple(upstreams),
            tuple(_entrance(name, port) for name, port in doors.items()),
        )
        try:
            await gateway.start(table)
            yield House(gateway, table, doors)
        finally:
            await gateway.envoy.stop()
            await gateway.close()


@pytest.fixture
async def house(home: Path) -> AsyncIterator[House]:
    async with opened(home) as found:
        yield found


ANN, BAD = login(), login(password="ann's own secrets")
WEBSOCKET = ("Connection: upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
EVENTS = ("Accept: text/event-stream",)

# host, path, header fields, method: the status, and the service that answers
TABLE: list[tuple[str, str, Fields, str, int, str | None]] = [
    # Everybody sees what is public, with or without a login.
    ("open", "/", (), "GET", 200, "web"),
    ("open", "/", (ANN,), "GET", 200, "web"),
    ("open", "/", (BAD,), "GET", 200, "web"),
    ("open", "/other/x", (), "GET", 200, "other"),
    # A rule of a public service leads to one that is not.
    ("open", "/api/x", (), "GET", 401, None),
    ("open", "/api/x", (BAD,), "GET", 401, None),
    ("open", "/api/x", (ANN,), "GET", 200, "api"),
    ("open", "/api", (), "GET", 401, None),
    ("open", "/api?x=/other/", (), "GET", 401, None),
    ("open", "/exact", (), "GET", 401, None),
    ("open", "/exact?x=1", (), "GET", 401, None),
    ("open", "/exact", (ANN,), "GET", 200, "api"),
    ("open", "/post", (), "POST", 401, None),
    ("open", "/post", (), "GET", 200, "web"),
    # What no rule matches stays with the public service: paths are compared as they are sent.
    ("open", "/apiary", (), "GET", 200, "web"),
    ("open", "/API/x", (), "GET", 200, "web"),
    ("open", "/%61pi/x", (), "GET", 200, "web"),
    ("open", "/api%20/x", (), "GET", 200, "web"),
    ("open", "/exact/", (), "GET", 200, "web"),
    ("open", "/api;x=1", (), "GET", 200, "web"),
    # What is unsafe is refused before anybody is asked.
    ("open", "//api/x", (), "GET", 404, None),
    ("open", "/other/../api/x", (), "GET", 404, None),
    ("open", "/api/%2e%2e/x", (), "GET", 404, None),
    ("open", "/api%2fx", (), "GET", 404, None),
    ("open", "/api\\x", (), "GET", 404, None),
    ("shut", "/a/../b", (), "GET", 404, None),
    # A service that is not public asks first, wherever its rules lead.
    ("shut", "/", (), "GET", 401, None),
    ("shut", "/", (ANN,), "GET", 200, "web"),
    ("shut", "/other/x", (), "GET", 401, None),
    ("shut", "/other/x", (ANN,), "GET", 200, "other"),
    ("shut", "/api/x", (ANN,), "GET", 200, "api"),
    # Every method.
    *(("shut", "/", (), method, 401, None) for method in ("HEAD", "OPTIONS", "PUT", "DELETE")),
    *(("shut", "/", (ANN,), method, 200, "web") for method in ("HEAD", "OPTIONS", "DELETE")),
    ("shut", "/", ("Origin: http://x", "Access-Control-Request-Method: GET"), "OPTIONS", 401, None),
    ("shut", "/", (), "PROPFIND", 401, None),
    # Streams go to another cluster, and are asked alike.
    ("shut", "/", WEBSOCKET, "GET", 401, None),
    ("shut", "/", (*WEBSOCKET, ANN), "GET", 200, "web"),
    ("shut", "/", EVENTS, "GET", 401, None),
    ("shut", "/", (*EVENTS, ANN), "GET", 200, "web"),
    ("open", "/api/x", WEBSOCKET, "GET", 401, None),
    ("open", "/api/x", EVENTS, "GET", 401, None),
    # Whoever has no login learns nothing of what is there.
    ("away", "/", (), "GET", 401, None),
    ("away", "/", (ANN,), "GET", 503, None),
    ("open", "/gone/x", (), "GET", 401, None),
    ("open", "/gone/x", (ANN,), "GET", 503, None),
    # Without a user nobody passes.
    ("empty", "/", (), "GET", 403, None),
    ("empty", "/", (ANN,), "GET", 403, None),
    ("empty", "/", (login("", ""),), "GET", 403, None),
    ("empty", "/api/x", (), "HEAD", 403, None),
    ("empty", "/", WEBSOCKET, "GET", 403, None),
    ("empty", "/", EVENTS, "GET", 403, None),
    ("empty", "/other/x", (), "POST", 403, None),
    ("empty", "/a%2fb", (), "GET", 404, None),
    # Other hosts.
    ("nobody", "/", (), "GET", 404, None),
    ("nobody", "/", (ANN,), "GET", 404, None),
    ("api", "/", (ANN,), "GET", 404, None),
]  # fmt: skip

# Names of the same host, and header fields that other proxies listen to.
HOSTS = ("shut.localhost:80", "shut.localhost:1", "SHUT.localhost", "Shut.Localhost:8080")
TRICKS: list[Fields] = [
    ("X-Compartment-User: ann",),
    ("X-Compartment-Entrance: inner",),
    ("X-Compartment-Entrance: gateway.compartment.internal",),
    ("compartment.asks_for_logins: no",),
    ("X-Original-URL: /other/x", "X-Rewrite-URL: /other/x"),
    ("X-Envoy-Original-Path: /other/x",),
    ("X-Envoy-Internal: true", "X-Envoy-External-Address: 127.0.0.1"),
    ("X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: open.localhost", "X-Forwarded-Proto: https"),
    ("Forwarded: for=127.0.0.1;host=open.localhost",),
    ("X-HTTP-Method-Override: GET",),
    ("Proxy-Authorization: " + ANN.partition(": ")[2],),
    ("X-Authorization: " + ANN.partition(": ")[2],),
    ("Cookie: authorization=" + ANN.partition(": ")[2],),
    # Of several nobody knows which is meant.
    (BAD, ANN),
    (ANN, BAD),
    (ANN, ANN),
    ("Authorization: Basic x, " + ANN.partition(": ")[2],),
    ("Authorization:",),
    ("Authorization: Basic",),
    ("Authorization: Basic " + base64.b64encode(b"ann").decode(),),
    ("Authorization: Basic ann:ann's own secret",),
    ("Authorization: Basic =",),
    ("Authorization: Bearer " + ANN.rpartition(" ")[2],),
    # RFC 7617 takes any case of the scheme; Envoy this one, which all send.
    (login(scheme="basic"),),
    (login(scheme="BASIC"),),
    (login("ANN", PASSWORDS["ann"]),),
    (login("ann", ""),),
    (login("ann", PASSWORDS["bob@lab"]),),
    (login("ann", user("ann").digest),),
    (login("ann", PASSWORDS["ann"] + "\n"),),
    (login("", ""),),
    (login("mallory", ""),),
    ("Authorization: Basic " + "QUJD" * 12_000,),
]  # fmt: skip


async def test_routes_and_users(house: House) -> None:
    for host, path, fields, method, status, to in TABLE:
        found = await house.ask(path, *fields, host=f"{host}.localhost", method=method)
        case = (host, path, fields, method)
        assert (found.status, found.to) == (status, to), case
        assert (found.challenge is not None) == (status == 401), case
    internal = house.gateway.ports.internal
    for host, fields, status in [
        ("api", (), 401),
        ("api", (ANN,), 200),
        ("shut", (), 401),
        ("empty", (), 403),
        ("open", (), 200),
    ]:
        found = await house.ask("/", *fields, host=f"{host}.localhost", port=internal)
        assert found.status == status, (host, fields)


async def test_tricks(house: House) -> None:
    for fields in TRICKS:
        for host, path in (("shut", "/"), ("open", "/api/x")):
            found = await house.ask(path, *fields, host=f"{host}.localhost")
            assert found.status == 401, (host, fields)
        found = await house.ask("/", *fields, port=house.doors["guarded"])
        assert found.status == 401, fields
        found = await house.ask("/", *fields, host="empty.localhost")
        assert found.status == 403, fields
    for host in HOSTS:
        assert (await house.ask("/", host=host)).status == 401, host
        assert (await house.ask("/", ANN, host=host)).status == 200, host
    # With the dot at its end it is no host of ours, and neither are two at once.
    assert (await house.ask("/", host="shut.localhost.")).status == 404
    assert (await house.ask("/", "Host: open.localhost", host="shut.localhost")).status == 404
    # The target names the host, whatever the field says.
    found = await house.ask("http://shut.localhost/", host="open.localhost")
    assert found.status == 401
    assert (await house.ask("/", host="shut.localhost", version="1.0")).status == 401
    assert (await house.ask("/", ANN, host="shut.localhost", version="1.0")).status == 200
    too_long = "Authorization: Basic " + "QUJD" * 20_000
    assert (await house.ask("/", too_long, host="shut.localhost")).status == 431


async def test_what_is_said_and_what_is_passed_on(house: House) -> None:
    asked = await house.ask("/a/b?c=1", host="shut.localhost")
    assert asked.challenge == 'Basic realm="compartment", charset="UTF-8"'
    assert (asked.field("content-type"), json.loads(asked.body)) == (
        "application/json",
        {"error": "unauthorized"},
    )
    refused = await house.ask("/", host="empty.localhost")
    assert refused.field("content-type") == "application/json"
    assert json.loads(refused.body) == {
        "error": "forbidden",
        "message": "a login is needed, and no user has been added yet",
    }
    # The password stays here; who it is goes on, and nobody else can say so.
    claims = ("X-Compartment-User: root", "x-compartment-user: root", "X_Compartment_User: root")
    for name in PASSWORDS:
        for host, path in (("shut", "/"), ("open", "/api/x"), ("shut", "/other/x")):
            found = await house.ask(path, *claims, login(name), host=f"{host}.localhost")
            case = (name, host, path)
            assert found.seen("x-compartment-user") == [name], case
            assert found.seen("authorization") == [], case
            assert found.seen("x_compartment_user") == [], case
    # Where nobody is asked the header means nothing to us, and may to the service.
    for port in (house.port, house.gateway.ports.internal, house.doors["unguarded"]):
        found = await house.ask("/", *claims, "Authorization: Bearer own", port=port)
        assert found.seen("authorization") == ["Bearer own"]
        assert found.seen("x-compartment-user") == found.seen("x_compartment_user") == []
    # Between services it is passed on as it came.
    found = await house.ask("/", "X-Compartment-User: ann", BAD, port=house.doors["inner"])
    assert (found.seen("x-compartment-user"), len(found.seen("authorization"))) == (["ann"], 1)


async def test_published_ports(house: House) -> None:
    guarded, nobody = house.doors["guarded"], house.doors["nobody"]
    assert (await house.ask("/", port=guarded)).status == 401
    assert (await house.ask("/", host="any.name", port=guarded)).status == 401
    found = await house.ask("/", "X-Compartment-User: root", ANN, port=guarded)
    assert (found.status, found.seen("x-compartment-user")) == (200, ["ann"])
    assert (await house.ask("/", ANN, port=nobody)).status == 403


async def test_a_change_of_users_holds_for_connections_that_are_open(house: House) -> None:
    async with Asker(house.port) as asker:
        head = ["GET / HTTP/1.1", "Host: shut.localhost"]
        assert (await asker.ask([*head, ANN])).status == 200
        for users, status in (((user("eve"),), 401), ((), 403), ((user("ann"),), 200)):
            shut = site("shut", "web", users=users)
            await house.gateway.apply(replace(house.table, sites=(shut,)))
            assert (await asker.ask([*head, ANN])).status == status


async def test_a_connection_older_than_the_filter_does_not_get_past_it(house: House) -> None:
    """A gateway of a version before may be taken over, with its connections."""
    gateway, head = house.gateway, ["GET / HTTP/1.1", "Host: shut.localhost"]
    await gateway.apply(replace(house.table, sites=(site("shut"),)))
    async with Asker(house.port) as asker:
        assert (await asker.ask(head)).status == 200
        await gateway.listeners._tell([_as_before(each) for each in gateway.listeners._all()])
        async with Asker(house.port) as older:
            assert (await older.ask(head)).status == 200
            await gateway.apply(replace(house.table, sites=(site("shut", "web"),)))
            assert (await older.ask(head)).status == 403
        assert (await asker.ask(head)).status == 401
    assert (await house.ask("/", ANN, host="shut.localhost")).status == 200


def _as_before(listener: resources.Json) -> resources.Json:
    """A listener without anything that asks for logins."""
    connections = listener["filter_chains"][0]["filters"][-1]
    settings = connections["typed_config"]
    router = settings["http_filters"][-1:]
    filters = [{**connections, "typed_config": {**settings, "http_filters": router}}]
    return {**listener, "filter_chains": [{"filters": filters}]}
