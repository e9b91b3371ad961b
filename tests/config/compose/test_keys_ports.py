"""`ports` and `expose`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.config.compose.keys import read, read_key, told, value_of


def port(target: int, published: str = "", host: str = "", protocol: str = "tcp") -> dict[str, Any]:
    found: dict[str, Any] = {"mode": "ingress", "protocol": protocol, "target": target}
    if published:
        found["published"] = published
    if host:
        found["host_ip"] = host
    return found


@pytest.mark.parametrize(
    ("written", "ports"),
    [
        ('"80"', [port(80)]),
        ("80", [port(80)]),
        ("8080:80", [port(80, "8080")]),
        ("22:22", [port(22, "22")]),
        ("1:2", [port(2, "1")]),
        ("3306:33", [port(33, "3306")]),
        ('"8080:80/tcp"', [port(80, "8080")]),
        ('"53:53/udp"', [port(53, "53", protocol="udp")]),
        ('"53:53/UDP"', [port(53, "53", protocol="udp")]),
        ('"53/udp"', [port(53, protocol="udp")]),
        ('"127.0.0.1:8080:80"', [port(80, "8080", "127.0.0.1")]),
        ('"127.0.0.1::80"', [port(80, host="127.0.0.1")]),
        ('"0.0.0.0:8080:80"', [port(80, "8080", "0.0.0.0")]),
        ('"[::1]:8080:80"', [port(80, "8080", "::1")]),
        ('"::1:8080:80"', [port(80, "8080", "::1")]),
        ('"[::]:53:53/udp"', [port(53, "53", "::", "udp")]),
        ('"3000-3002"', [port(3000), port(3001), port(3002)]),
        ('"8000-8001:80-81"', [port(80, "8000"), port(81, "8001")]),
        ('"8000-8010:80"', [port(80, "8000-8010")]),
        (
            '"127.0.0.1:5000-5001:6000-6001/udp"',
            [port(6000, "5000", "127.0.0.1", "udp"), port(6001, "5001", "127.0.0.1", "udp")],
        ),
        ("{target: 80}", [port(80)]),
        ("{target: 80, published: 8080}", [port(80, "8080")]),
        ('{target: "80", published: "8080"}', [port(80, "8080")]),
        ('{target: 80, published: "8000-8010"}', [port(80, "8000-8010")]),
        ('{target: 80, published: ""}', [port(80)]),
        ("{target: 53, protocol: udp, host_ip: 127.0.0.1}", [port(53, "", "127.0.0.1", "udp")]),
        ("{target: 80, mode: host}", [{**port(80), "mode": "host"}]),
        (
            "{target: 80, name: web, app_protocol: http, x-note: 1}",
            [{**port(80), "name": "web", "app_protocol": "http", "x-note": 1}],
        ),
    ],
)
def test_ports(written: str, ports: list[dict[str, Any]]) -> None:
    assert value_of(f"ports: [{written}]") == ports


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("http", 'cannot be "http"'),
        ("80:http", 'cannot be "80:http"'),
        ('"80:"', 'cannot be "80:"'),
        ('":80:"', 'cannot be ":80:"'),
        ("0:80", 'cannot be "0:80" (ports are 1 to 65535, the lower one first)'),
        ("70000:80", 'cannot be "70000:80" (ports are 1 to 65535, the lower one first)'),
        ('"81-80"', 'cannot be "81-80" (ports are 1 to 65535, the lower one first)'),
        ('"80/sctp"', 'has the protocol "sctp" (use tcp or udp)'),
        ('"80/"', 'has the protocol "" (use tcp or udp)'),
        (
            '"8000-8002:80-81"',
            "publishes 3 ports for 2 of the container (both ranges need the same length)",
        ),
        ('"localhost:80:80"', '"localhost" is no address (use 127.0.0.1)'),
        ('"1.2.3:80:80"', '"1.2.3" is no address'),
        ("{published: 80}", '"ports[0]" has no "target"'),
        ("{target: http}", '"target" must be a whole number, not "http"'),
        ("{target: 0}", '"target" must be at least 1, not 0'),
        ("{target: 80, protocol: sctp}", '"protocol" must be one of tcp, udp, not "sctp"'),
        ("{target: 80, port: 1}", 'unknown key "port"'),
        ("true", '"ports[0]" must be text, not true'),
        ("[80]", '"ports[0]" must be text, not a list'),
    ],
)
def test_ports_that_are_none(written: str, message: str) -> None:
    (problem,) = told(read_key(f"ports: [{written}]").problems)
    assert message in problem


def test_ports_have_to_be_a_list() -> None:
    assert told(read_key("ports: 80:80").problems) == [
        '3:12: "ports" must be a list, not "80:80" (such as ["8080:80"])'
    ]


def test_all_ports_of_a_range_are_where_it_is_written() -> None:
    text = 'services:\n  a:\n    ports:\n      - "1-2:1-2"\n      - target: 80\n      - 90\n'
    found = read(text)
    lines = [found.values["services", "a", "ports", index].line for index in range(4)]
    assert lines == [4, 4, 5, 6]
    assert ("services", "a", "ports", 1, "target") not in found.values


@pytest.mark.parametrize(
    ("written", "ports"),
    [
        ("3000", ["3000"]),
        ('"3000"', ["3000"]),
        ('"53/udp"', ["53/udp"]),
        ('"8000-8010"', ["8000-8010"]),
    ],
)
def test_expose(written: str, ports: list[str]) -> None:
    assert value_of(f"expose: [{written}]") == ports


@pytest.mark.parametrize("written", ["http", '"80:80"', '"80/xyz"', "0", "true"])
def test_expose_that_is_none(written: str) -> None:
    assert len(read_key(f"expose: [{written}]").problems) == 1
