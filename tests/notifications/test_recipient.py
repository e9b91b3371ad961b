"""Who is told when: in order, not lost, not too late, and nobody because of somebody else."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest

from core.config.notifications import Notification
from core.events import Event, EventType
from core.lines import stamp
from core.model import Status, Trigger
from core.notifications.recipient import TOO_OLD, Recipient
from core.records import Run, Target
from tests.notifications.receiver import PATIENCE_S, hangs, receiver, status

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.promotion.ledger import Ledger
    from core.snapshots import Snapshots

SECRET = "T0secret/B0secret"


@asynccontextmanager
async def at_work(ledger: Ledger, *wanted: Notification) -> AsyncIterator[list[Recipient]]:
    """Recipients as an agent has them, until it ends."""
    async with httpx.AsyncClient(timeout=None, trust_env=False) as client:
        found = [Recipient(each, ledger, cast("Snapshots", None), client) for each in wanted]
        for each in found:
            each.first_pause_s = 0.001
            await each.begin()
        async with asyncio.TaskGroup() as tasks:
            following = [tasks.create_task(each.follow()) for each in found]
            yield found
            for task in following:
                task.cancel()


def hook(url: str, *on: Any, **more: Any) -> Notification:
    return Notification(on=list(on) or ["run.finished"], url=url, **more)


def ended(
    message: str = "deploy succeeded",
    *,
    project: str = "shop",
    environment: str = "production",
    at: datetime | None = None,
    **data: Any,
) -> Event:
    given = {"status": "succeeded", "failureCode": None, **data}
    return Event(
        EventType.RUN_FINISHED, stamp(at), message, project, environment, "drn_1", data=given
    )


async def until(ledger: Ledger, recipient: Recipient, *, told: int) -> None:
    """Waits until it was told so often, and keeps that."""
    async with asyncio.timeout(PATIENCE_S):
        while recipient.told < told or await _is_behind(ledger, recipient):
            await asyncio.sleep(0.005)


async def _is_behind(ledger: Ledger, recipient: Recipient) -> bool:
    return int(await ledger.journal.setting(recipient._setting) or 0) < ledger.journal.last_seq


async def warnings(ledger: Ledger) -> list[str]:
    found = await ledger.journal.events_after(0)
    return [each.message for each in found if each.type is EventType.WARNING_GIVEN]


async def test_what_is_told_and_in_which_order(ledger: Ledger) -> None:
    label, target = "hotter hotfix", Target("shop", "production")
    run = Run("drn_1", target, Trigger.ROLLBACK, Status.SUCCEEDED, stamp(), label=label)
    async with receiver() as found, at_work(ledger, hook(found.url)) as (recipient,):
        await ledger.write(run, *(ended(f"number {each}") for each in range(3)))
        asked = await found.until_asked(3)
        await until(ledger, recipient, told=3)

    assert [each.json["message"] for each in asked] == ["number 0", "number 1", "number 2"]
    assert [each.json["id"] for each in asked] == [1, 2, 3]
    assert [each.headers["x-compartment-id"] for each in asked] == ["1", "2", "3"]
    first = asked[0].json
    assert (first["trigger"], first["label"]) == ("rollback", label)
    assert (first["event"], first["status"]) == ("run.finished", "succeeded")
    assert first["summary"] == "shop/production: number 0"
    assert asked[0].headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("template", "kind", "expected"),
    [
        ('{"text": "{message}"}', "application/json", b'{"text": "a \\"b\\"\\n\\u00fc"}'),
        ("{project}: {message}", "text/plain; charset=utf-8", 'shop: a "b"\nü'.encode()),
    ],
)
async def test_templates(ledger: Ledger, template: str, kind: str, expected: bytes) -> None:
    async with (
        receiver() as found,
        at_work(ledger, hook(found.url, template=template, headers={"Priority": "high"})),
    ):
        await ledger.write(ended('a "b"\nü'))
        (asked,) = await found.until_asked(1)

    assert asked.body == expected
    assert (asked.headers["content-type"], asked.headers["priority"]) == (kind, "high")


async def test_only_what_is_wanted_is_told(ledger: Ledger) -> None:
    async with (
        receiver() as found,
        at_work(
            ledger,
            hook(found.url, "run.failed", projects=["shop"], environments=["production"]),
        ),
    ):
        bad: Any = {"status": "failed", "failureCode": "run_failed"}
        await ledger.write(
            ended(),
            ended("other project", project="blog", **bad),
            ended("other environment", environment="staging", **bad),
            ended("this", **bad),
        )
        (asked,) = await found.until_asked(1)

    assert asked.json["message"] == "this"


async def test_who_is_new_is_not_told_of_the_past_and_nobody_twice(ledger: Ledger) -> None:
    await ledger.write(ended("before"))
    async with receiver() as found:
        for each in range(3):
            async with at_work(ledger, hook(found.url)) as (recipient,):
                await ledger.write(ended(f"number {each}"))
                await until(ledger, recipient, told=1)

    assert [each.json["message"] for each in found.asked] == ["number 0", "number 1", "number 2"]


async def test_what_happens_while_nobody_is_there_is_told_later(ledger: Ledger) -> None:
    async with receiver(hangs) as found:
        async with at_work(ledger, hook(found.url)):
            await ledger.write(ended("under way"))
            await found.until_asked(1)
        await ledger.write(ended("meanwhile"))
        async with at_work(ledger, hook(found.url)) as (recipient,):
            await until(ledger, recipient, told=2)

    told = [(each.json["id"], each.json["message"]) for each in found.asked]
    assert told == [(1, "under way"), (1, "under way"), (2, "meanwhile")]


async def test_what_is_too_old_is_dropped(ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    long_ago = datetime.now(UTC) - TOO_OLD - timedelta(minutes=1)
    async with receiver() as found, at_work(ledger, hook(found.url)) as (recipient,):
        with caplog.at_level(logging.WARNING):
            await ledger.write(ended("old", at=long_ago), ended("older", at=long_ago), ended("new"))
            await until(ledger, recipient, told=1)

    assert [each.json["message"] for each in found.asked] == ["new"]
    assert "is not told of 2 events, which are too old" in caplog.text


async def test_who_hangs_holds_up_nobody_else(ledger: Ledger) -> None:
    async with (
        receiver(hangs, hangs) as stuck,
        receiver() as found,
        at_work(ledger, hook(stuck.url), hook(found.url)) as (_, well),
    ):
        await ledger.write(ended())
        await stuck.until_asked(1)
        for _ in range(20):
            await ledger.write(ended())
        await until(ledger, well, told=21)
        assert len(stuck.asked) == 1


async def test_it_is_tried_again_until_it_is_told(ledger: Ledger) -> None:
    answers = (status(500), status(429, retry_after="0"), status(503))
    async with receiver(*answers) as found, at_work(ledger, hook(found.url)) as (recipient,):
        await ledger.write(ended("one"), ended("two"))
        await until(ledger, recipient, told=2)

    assert [each.json["message"] for each in found.asked] == ["one"] * 4 + ["two"]
    assert await warnings(ledger) == []


async def test_while_tries_go_on_it_is_not_said_to_be_well(ledger: Ledger) -> None:
    async with receiver(status(503), hangs) as found, at_work(ledger, hook(found.url)) as (one,):
        await ledger.write(ended())
        await found.until_asked(2)
        told = one.as_json()
        assert (told["failure"], told["retrying"]) == (None, "answers 503")
    async with receiver(status(503)) as found, at_work(ledger, hook(found.url)) as (one,):
        await ledger.write(ended())
        await until(ledger, one, told=1)
        assert one.retrying is None


async def test_what_cannot_be_told_is_said_once_without_secrets(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    echo = "Cannot POST {path} for Bearer abc"
    url, more = f"/services/{SECRET}?key=k0k0k0k0", {"headers": {"Authorization": "Bearer abc"}}
    async with receiver(*(status(404, echo) for _ in range(2))) as found:
        wanted = hook(found.url + url, **more)
        async with at_work(ledger, wanted) as (recipient,):
            with caplog.at_level(logging.DEBUG):
                await ledger.write(ended("one"), ended("two"))
                await found.until_asked(2)
                async with asyncio.timeout(PATIENCE_S):
                    while await _is_behind_of(ledger, recipient, 2):
                        await asyncio.sleep(0.005)
                failing = recipient.as_json()
                await ledger.write(ended("three"))
                await until_told(recipient)

    (warning,) = await warnings(ledger)
    assert warning == (
        f'warning: {found.url} is not told of run.finished: answers 404: "Cannot POST *** for ***"'
    )
    assert failing["failure"] is not None
    assert failing["failingSince"] is not None
    assert (recipient.failure, recipient.failing_since) == (None, None)
    ours = "".join(each.getMessage() for each in caplog.records if each.name.startswith("core."))
    assert "is not told of run.finished 1" in ours
    for secret in ("T0secret", "B0secret", "k0k0k0k0", "Bearer"):
        assert secret not in ours + warning + str(failing)


async def _is_behind_of(ledger: Ledger, recipient: Recipient, seq: int) -> bool:
    return int(await ledger.journal.setting(recipient._setting) or 0) < seq


async def until_told(recipient: Recipient) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not recipient.told:
            await asyncio.sleep(0.005)


async def test_retries_have_an_end(ledger: Ledger) -> None:
    async with (
        receiver(*(status(500) for _ in range(3))) as found,
        at_work(ledger, hook(found.url, retries=2)) as (recipient,),
    ):
        await ledger.write(ended("one"), ended("two"))
        await until_told(recipient)

    assert [each.json["message"] for each in found.asked] == ["one"] * 3 + ["two"]


async def test_what_has_become_a_secret_since_is_not_told(ledger: Ledger) -> None:
    async with receiver() as found:
        async with at_work(ledger, hook(found.url)):
            pass
        await ledger.write(ended("the key is k3y-k3y"))
        ledger.mask.add(["k3y-k3y"])
        async with at_work(ledger, hook(found.url)) as (recipient,):
            await until(ledger, recipient, told=1)

    (asked,) = found.asked
    assert b"k3y" not in asked.body
    assert asked.json["message"] == "the key is ***"


async def test_a_long_history_that_is_nobody_s_concern_is_read_once(ledger: Ledger) -> None:
    async with receiver() as found, at_work(ledger, hook(found.url)) as (recipient,):
        await ledger.write(*[Event(EventType.WARNING_GIVEN, stamp(), "")] * 2500)
        await ledger.write(ended())
        await until(ledger, recipient, told=1)

    assert await ledger.journal.setting(recipient._setting) == "2501"
