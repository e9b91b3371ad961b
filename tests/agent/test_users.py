"""Users through the agent's socket: who may have a login, and what is told of it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from core.errors import NotFound, UsageError
from tests.agent.inside import agent_inside

if TYPE_CHECKING:
    from pathlib import Path

SHOP = {"project": "shop", "environment": "production"}
PASSWORD = "correct horse bätterÿ"


async def test_users_are_kept_per_environment(home: Path) -> None:
    async with agent_inside(home) as (platform, client):
        told = await client.add_user("ann", {**SHOP, "password": PASSWORD})
        assert told == {**SHOP, "name": "ann", "isNew": True}
        told = await client.add_user("ann", {**SHOP, "password": "another password"})
        assert told["isNew"] is False
        for name in ("bob@example.com", "A.b_c+d-9", "9" * 64):
            await client.add_user(name, {**SHOP, "password": PASSWORD})
        await client.add_user("eve", {**SHOP, "environment": "staging", "password": PASSWORD})
        names = ["9" * 64, "A.b_c+d-9", "ann", "bob@example.com"]
        assert await client.users(SHOP) == {**SHOP, "users": [{"name": each} for each in names]}
        assert await client.remove_user("ann", SHOP) == {**SHOP, "name": "ann"}
        with pytest.raises(NotFound, match='there is no user "ann" in shop/production') as error:
            await client.remove_user("ann", SHOP)
        assert error.value.hint == f"those there are: {', '.join((*names[:2], names[3]))}"
        events = [each.as_json() for each in await platform.ledger.journal.events_after(0)]
    assert [event["message"].removeprefix("users of shop/") for event in events[:2]] == [
        "production: added ann",
        "production: changed the password of ann",
    ]
    assert events[-1]["message"] == "users of shop/production: removed ann"


async def test_nothing_secret_is_told_or_kept_in_the_open(home: Path) -> None:
    async with agent_inside(home) as (platform, client):
        told = [
            await client.add_user("ann", {**SHOP, "password": PASSWORD}),
            await client.users(SHOP),
            [each.as_json() for each in await platform.ledger.journal.events_after(0)],
            repr(list(platform.ledger.users.values())),
        ]
        (record,) = platform.ledger.users.values()
        # If anybody ever quotes it, such as Envoy where it refuses a table.
        assert platform.ledger.mask.mask(f"rejected: {record.digest}") == "rejected: ***"
    text = json.dumps(told, ensure_ascii=False)
    assert PASSWORD not in text
    assert record.digest not in text
    kept = await asyncio.to_thread(_files, home)
    assert any(record.digest.encode() in content for content, _ in kept)
    for content, mode in kept:
        assert PASSWORD.encode() not in content
        assert mode & 0o077 == 0


def _files(folder: Path) -> list[tuple[bytes, int]]:
    """The content and the mode of each."""
    found = [each for each in folder.rglob("*") if each.is_file()]
    return [(each.read_bytes(), each.stat().st_mode) for each in found]


NO_NAMES = ("", "a b", "a:b", "#ann", ".ann", "-ann", "a\tb", "ä", "a" * 65, "a/b", "{SHA}", "a,b")
NO_PASSWORDS = {
    "": "the password is too short: it needs 12 characters or more",
    "elevensigns": "the password is too short: it needs 12 characters or more",
    "twelve\nsigns!": "the password has a character that nobody can type into a login",
    "twelve\0signs!": "the password has a character that nobody can type into a login",
    "x" * 257: "the password is too long: it has more than 256 characters",
}


async def test_what_cannot_be(home: Path) -> None:
    async with agent_inside(home) as (_, client):
        for name in NO_NAMES:
            with pytest.raises(UsageError):
                await client.add_user(name, {**SHOP, "password": PASSWORD})
        for password, message in NO_PASSWORDS.items():
            with pytest.raises(UsageError) as error:
                await client.add_user("ann", {**SHOP, "password": password})
            assert error.value.message == message
        with pytest.raises(UsageError) as error:
            await client.add_user("ann", {**SHOP, "password": [PASSWORD]})
        assert PASSWORD not in error.value.message
        assert (await client.users(SHOP))["users"] == []
