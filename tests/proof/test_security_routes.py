"""Nobody gets past the route rules or a login, however the path, the host or a header is written.

A real gateway stands before an open service, one that asks for a login that nobody has, and one
that is not for the outside. Thousands of requests are sent to it raw, each a trick that has worked
on some server: encoded and doubled separators, dot segments, overlong UTF-8, absolute targets,
hosts in every spelling, header fields that other proxies obey. What the instances were really sent
is compared: the guarded ones must have been sent nothing, the open one nothing that its rules would
have led elsewhere, and nothing at all that two servers could read differently.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.config.routes import is_safe, match
from core.gateway.access import USER_HEADER
from tests.proof.security.claims import AUTHORIZATIONS, CLAIMS, HOSTS, hosted
from tests.proof.security.paths import is_sendable, one_trick, two_tricks
from tests.proof.security.stronghold import INNER, OPEN, RULES, SHUT, request, stronghold

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.figures import FiguresRecorder
    from tests.proof.security.stronghold import Stronghold

pytestmark = pytest.mark.timeout(540)


@pytest.fixture
async def held(home: Path) -> AsyncIterator[Stronghold]:
    async with stronghold(home) as found:
        yield found
        await found.still_serves()
        assert found.reached == []
        assert found.malformed == []


async def test_paths(
    held: Stronghold, extent: Callable[[list[str], list[str]], list[str]], counts: FiguresRecorder
) -> None:
    targets = [
        each for each in extent(one_trick(), two_tricks() + one_trick()) if is_sendable(each)
    ]
    tricks = [request(each, method=method) for each in targets for method in ("GET", "PUT")]
    replies = await held.throw(tricks, patience_s=4)
    # What reached the open service is what the readable definition of the rules leaves to it.
    for asked in held.instances["open"].requests:
        path = asked.target.partition("?")[0]
        assert is_safe(path), asked
        decision = match(RULES, "open", asked.method, asked.target)
        assert decision is not None, asked
        assert (decision.to, decision.upstream) == ("open", asked.target), asked
    refused = sum(not each.startswith(b"HTTP/1.1 200 ") for each in replies)
    # Both happen: this proof would see a gateway that refuses all, and one that refuses nothing.
    assert 0 < refused < len(tricks)
    counts("security: paths tried against the route rules", len(tricks), "requests")
    counts("security: paths that got past them", len(held.reached), "requests", 0)


async def test_hosts(held: Stronghold, counts: FiguresRecorder) -> None:
    tricks = [each for host in (INNER, SHUT) for trick in HOSTS for each in hosted(trick, host)]
    await held.throw(tricks, patience_s=4)
    # On the internal listener the same hosts are found, and SHUT is asked for a login there, too.
    await held.throw([request("/", host=SHUT)], held.gateway.ports.internal)
    counts("security: hosts tried against services that are not public", len(tricks), "requests")
    counts("security: hosts that led to one", len(held.reached), "requests", 0)


async def test_headers(held: Stronghold, counts: FiguresRecorder) -> None:
    tricks = [
        request(target, *fields, host=host, method=method)
        for fields in (*CLAIMS, *AUTHORIZATIONS)
        for host, target in ((SHUT, "/"), (OPEN, "/api/x"), (OPEN, "/exact"))
        for method in ("GET", "POST")
    ]
    doors = [request("/", *fields, host=SHUT) for fields in (*CLAIMS, *AUTHORIZATIONS)]
    doors += [request("/", *fields, host="inside") for fields in CLAIMS]
    doors += [request("/", *fields, host="gateway.compartment.internal") for fields in CLAIMS]
    await held.throw(tricks, patience_s=4)
    await held.throw(doors, held.doors["published"], patience_s=4)
    counts("security: header fields tried against logins", len(tricks) + len(doors), "requests")
    counts("security: header fields that let somebody in", len(held.reached), "requests", 0)


async def test_who_asks_is_told_by_the_gateway_alone(held: Stronghold) -> None:
    await held.throw([request("/claims", *fields) for fields in CLAIMS], patience_s=4)
    asked = held.instances["open"].requests
    assert len(asked) >= len(CLAIMS) / 2
    for each in asked:
        names = [name.replace("_", "-") for name, _ in each.fields]
        assert USER_HEADER not in names, each
        # The scheme is the gateway's own word, and so is the last of the addresses.
        assert each.values("x-forwarded-proto") == ["http"], each
    last = {each.values("x-forwarded-for")[-1].rpartition(",")[2].strip() for each in asked}
    assert len(last) == 1
    assert not any(claimed in last for claimed in ("10.0.0.1", "\x7f"))
