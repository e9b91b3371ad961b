"""Every request that the agent's description of itself allows, and many that it does not.

Shown: the agent answers each with what its description (`/openapi.json`) says that it answers: the
status, the type and the shape of the body. What cannot be done is refused in words. No request is a
bug of the agent's, none hangs, and none is taken that is too large, too deep, or no text.

How: schemathesis makes requests to every operation of the description, valid ones and negated ones,
with values in them that there really are (projects, files, ids), so that they get further than the
first check. They are asked of the real application, with a real platform and journal behind it, in
this process, so that what it raises is seen. The bodies that are no JSON are written out below.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.e2e.house import LAB
from tests.proof.fuzz.agent_inside import agent_inside
from tests.proof.fuzz.asking import cases

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.proof.fuzz.agent_inside import Inside
    from tests.proof.fuzz.asking import Asked
    from tests.proof.fuzz.trying import Fuzz

JSON = [(b"content-type", b"application/json")]
TARGET = {"project": "shop", "environment": "production"}


@pytest.fixture
def inside(home: Path, tmp_path: Path) -> Iterator[Inside]:
    root = tmp_path / "lab"
    shutil.copytree(LAB, root, ignore=shutil.ignore_patterns("__pycache__"))
    with agent_inside(home) as found:
        body = json.dumps({**TARGET, "variables": {"A": "1", "B": "2"}}).encode()
        assert found.ask("POST", "/v1/variables/import", body=body, headers=JSON).status == 200
        yield found


def test_every_operation(inside: Inside, fuzz: Fuzz, tmp_path: Path) -> None:
    known = {
        "project": ["shop", "lifecycle-lab", ""],
        "environment": ["production", "", "\x00"],
        "service": ["web", "lab-api", "nothing"],
        "key": ["A", "B", "C=", "", "COMPARTMENT_X"],
        "name": ["ann", "a:b", ""],
        "host": ["shop.example.com", "*.example.com", "xn--a", "a" * 300],
        "grep": ["(a+)+$", "(", "[", "\\1"],
        "since": ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01T00:00:00"],
        "after": [2**63 - 1, -1, 10**30],
        "tail": [10**30, 1_000_000],
        "limit": [100, 10**30],
        "value": ["\ud800", "\x00", "x" * 200_000],
        "password": ["\ud800", "x" * 200, ""],
        "root": [str(tmp_path / "lab"), "/", "/dev/null", "/a\x00b", "."],
        "environ": [{"A": "1"}, {"=": ""}, {"A": "\x00"}],
    }
    description = json.loads(inside.ask("GET", "/openapi.json").body)

    def ask(asked: Asked) -> None:
        path, _, query = asked.target.partition("?")
        if path == "/v1/runs" and asked.body:
            return  # what it would deploy is deployed for real in `test_fuzz_sockets`
        headers = [(name.encode(), value.encode()) for name, value in asked.headers.items()]
        with fuzz.meter.measured(len(asked.body)):
            reply = inside.ask(asked.method, path, query.encode(), asked.body, headers)
        assert reply.error is None, (asked.method, asked.target, asked.body)
        told = {name.decode(): value.decode() for name, value in reply.headers}
        asked.check(reply.status, told, bytes(reply.body))

    fuzz("requests", ask, cases(description, known), short=40, whole_s=200)


BODIES = {
    "no UTF-8": b'{"project": "\xff"}',
    "half a character": b'{"\\ud800": 1, "project": "\\udc00"}',
    "deep": b"[" * 200_000,
    "deep objects": b'{"a":' * 100_000,
    "no object": b"[1, 2]",
    "a number": b"1" * 5000,
    "nan": b'{"project": NaN}',
    "too large": b'{"project": "' + b"x" * (17 << 20) + b'"}',
    "many keys": b"{" + b",".join(b'"k%d": 1' % n for n in range(50_000)) + b"}",
    "many services": b'{"project":"a","services":[' + b"1," * 100_000 + b"1]}",
    "a bomb of numbers": b'{"project": ' + b"9" * 4300 + b"}",
    "cut": b'{"project": "shop", "trig',
    "empty": b"",
}


PATHS = ("/v1/runs", "/v1/plan", "/v1/down", "/v1/variables/import")


def test_bodies_that_are_none(inside: Inside, fuzz: Fuzz) -> None:
    for what, body in BODIES.items():
        for path in PATHS:
            with fuzz.meter.measured(len(body)):
                reply = inside.ask("POST", path, body=body, headers=JSON)
            assert reply.error is None
            assert reply.status in (400, 413), (what, path, reply.status, bytes(reply.body[:200]))
            assert json.loads(reply.body)["error"]["message"]
    fuzz.report("bodies that are none", len(BODIES) * len(PATHS))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/nothing", 404), ("DELETE", "/v1/runs", 405), ("BREW", "/v1/agent", 405)],
)
def test_what_there_is_not_is_told_as_errors_are(
    inside: Inside, method: str, path: str, status: int
) -> None:
    reply = inside.ask(method, path)
    assert reply.status == status
    error = json.loads(reply.body)["error"]
    assert (error["kind"], error["code"]) == ("AgentUnavailable", "agent_version")
    assert error["hint"]
