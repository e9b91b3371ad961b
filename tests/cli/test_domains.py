"""The domain commands: what they refuse by themselves, and what they print."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from core.cli import domains
from core.cli.checks import Level
from core.cli.domain_checks import _check
from core.cli.exits import Exit

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Cli

HOST = "shop.example.com"


def domain(**fields: Any) -> dict[str, Any]:
    return {
        "host": HOST,
        "project": "shop",
        "environment": "production",
        "serviceName": "web",
        "url": f"https://{HOST}",
        "tls": "files",
        "state": "ok",
        "certificate": {"validUntil": "2026-07-01T10:00:00.000000Z"},
        "failureMessage": None,
        "failedAt": None,
        "nextTryAt": None,
        **fields,
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--certificate", "a.pem"), "belong together"),
        (("--key", "a.pem"), "belong together"),
        (("--acme", "--certificate", "a", "--key", "b"), "not both"),
        (("--certificate", "a", "--key", "b", "--host", "me@server"), "needs an absolute path"),
    ],
)
def test_what_makes_no_sense(cli: Cli, shop: Path, arguments: tuple[str, ...], words: str) -> None:
    done = cli("domain", "add", HOST, *arguments)
    assert done.code == Exit.USAGE
    assert words in done.err


def test_files_are_named_from_anywhere_and_stay_symlinks(
    cli: Cli, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shop / "chain.pem").symlink_to("elsewhere.pem")
    asked: list[Any] = []

    def ask(use: Any) -> dict[str, Any]:
        class Client:
            def add_domain(self, host: str, body: dict[str, Any]) -> dict[str, Any]:
                asked.append((host, body))
                return {"domain": domain(), "warnings": ["somebody can read it"]}

        return dict(use(Client()))

    monkeypatch.setattr(domains, "ask", ask)
    done = cli("domain", "add", HOST, "--certificate", "chain.pem", "--key", "/k.pem")
    assert done.code == Exit.DONE
    assert done.out == f"https://{HOST} leads to service web of shop/production\n"
    assert done.err == "warning: somebody can read it\n"
    ((host, body),) = asked
    assert (host, body["service"], body["acme"]) == (HOST, "web", False)
    assert (body["certificateFile"], body["keyFile"]) == (str(shop / "chain.pem"), "/k.pem")


def test_a_list_says_how_certificates_are(
    cli: Cli, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = domain(
        tls="acme", state="failing", failureMessage="it cannot\nbe reached",
        failedAt="2026-06-01T10:00:00.000000Z", nextTryAt="2026-06-01T10:01:00.000000Z",
    )  # fmt: skip
    plain = domain(url="http://plain.example.com", tls="none", state="plain", certificate=None)
    told = {"project": "shop", "environment": "production", "domains": [failing, plain]}
    monkeypatch.setattr(domains, "ask", lambda _: told)
    lines = cli("domain", "list").out.splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["DOMAIN", "SERVICE", "TLS", "STATE", "VALID", "UNTIL", "NEXT", "TRY"],
        [
            f"https://{HOST}",
            "web",
            "acme",
            "failing",
            "2026-07-01T10:00:00Z",
            "2026-06-01T10:01:00Z",
        ],
        ["http://plain.example.com", "web", "none", "plain", "-", "-"],
    ]
    assert lines[3] == f"{HOST}: it cannot (at 2026-06-01T10:00:00Z)"
    assert json.loads(cli("domain", "list", "--output", "json").out) == told
    told["domains"] = []
    assert cli("domain", "list").out == "there are no domains in shop/production\n"


@pytest.mark.parametrize(
    ("state", "level"),
    [
        ("ok", Level.OK),
        ("plain", Level.OK),
        ("pending", Level.WARNING),
        ("failing", Level.WARNING),
        ("expires soon", Level.WARNING),
        ("expired", Level.FAIL),
    ],
)
def test_doctor_says_which_needs_somebody(state: str, level: Level) -> None:
    found = _check(domain(state=state, failureMessage="the files are gone"))
    assert found.level is level
    assert (found.mend is not None) or level is Level.OK
