"""Recording and replay: what was told is told again, and damage is named by its line."""

from __future__ import annotations

import asyncio
import errno
import io
import json
import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ConfigError, Conflict
from tests.tui.feed.source import Heard, line
from tui.feed import recorder
from tui.feed.messages import Ended, Lines, LinkChanged, Message, Update
from tui.feed.recorder import Recorder, create
from tui.feed.replay import ReplayFeed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Buffer

    from tui.feed.messages import Take

AT = datetime(2026, 4, 24, 10, 1, tzinfo=UTC)
HEADER = {"recording": 1, "project": "shop", "environment": "production", "at": AT.isoformat()}


class Told:
    """A feed that tells what it was given, then goes on in silence unless it is to end."""

    def __init__(self, messages: Sequence[Message], *, ends: bool = False) -> None:
        self._messages = messages
        self._ends = ends

    def now(self) -> datetime:
        return AT

    async def run(self, take: Take) -> None:
        for each in self._messages:
            take(each)
            await asyncio.sleep(0)
        if not self._ends:
            await asyncio.Event().wait()


async def record(messages: Sequence[Message], path: Path) -> Heard:
    heard = Heard()
    found = Recorder(Told(messages), create(path), "shop", "production")
    task = asyncio.create_task(found.run(heard.take))
    await asyncio.sleep(0)
    await heard.until(lambda: len(heard.messages) == len(messages))
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return heard


async def replayed(path: Path) -> list[Message]:
    heard = Heard()
    await ReplayFeed(path, speed=0).run(heard.take)
    return heard.messages


def written(path: Path, *entries: Any) -> Path:
    path.write_text("".join(json.dumps(each) + "\n" for each in entries))
    return path


_texts = st.text(max_size=20)
_messages = st.one_of(
    st.builds(
        LinkChanged,
        st.datetimes(timezones=st.just(UTC)),
        is_up=st.booleans(),
        reason=_texts,
    ),
    st.builds(Update, st.fixed_dictionaries({"seq": st.integers(), "more": _texts})),
    st.builds(Lines, st.lists(st.builds(line, st.just("05.000000"), _texts), min_size=1)),
)


@given(st.lists(_messages, max_size=20))
@settings(max_examples=50)
def test_what_was_told_is_told_again(messages: list[Message]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.ndjson"

        async def there_and_back() -> tuple[Heard, list[Message]]:
            return await record(messages, path), await replayed(path)

        heard, found = asyncio.run(there_and_back())
    assert heard.messages == messages
    assert found == [*messages, Ended()]


async def test_a_recording_says_what_it_is_of_and_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    await record([], path)
    assert path.stat().st_mode & 0o777 == 0o600
    header = json.loads(path.read_text())
    assert header.pop("version")
    assert header == HEADER
    assert ReplayFeed(path).header.project == "shop"


def test_a_recording_overwrites_nothing(tmp_path: Path) -> None:
    path = written(tmp_path / "a.ndjson", HEADER)
    with pytest.raises(Conflict, match="exists already"):
        create(path)


async def test_it_is_written_while_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "_FLUSH_S", 0.001)
    path = tmp_path / "a.ndjson"
    found = Recorder(Told([Update({"seq": 1})]), create(path), "shop", "production")
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(found.run(lambda _: None))
        async with asyncio.timeout(60):
            while path.read_bytes().count(b"\n") < 2:
                await asyncio.sleep(0.001)
        task.cancel()


async def test_the_end_of_the_feed_is_the_end_of_the_recording(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    heard = Heard()
    told = Told([Update({"seq": 1}), Ended()], ends=True)
    await Recorder(told, create(path), "shop", "production").run(heard.take)
    assert heard.messages == [Update({"seq": 1}), Ended()]
    assert await replayed(path) == heard.messages


class FullDisk(io.BytesIO):
    """A file that has room for a header."""

    name = "/mnt/full"

    def write(self, data: Buffer, /) -> int:
        if self.tell():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(data)


@pytest.mark.parametrize("flush_s", [0.001, 60])
async def test_a_full_disk_ends_the_recording_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, flush_s: float
) -> None:
    monkeypatch.setattr(recorder, "_FLUSH_S", flush_s)
    heard, warnings, is_warned = Heard(), [], asyncio.Event()
    found = Recorder(Told([Update({"seq": 1})] * 3), FullDisk(), "shop", "production")

    def warn(text: str) -> None:
        warnings.append(text)
        is_warned.set()

    found.warn = warn
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(found.run(heard.take))
        await heard.until(lambda: len(heard.messages) == 3)
        if flush_s < 1:
            await is_warned.wait()
        task.cancel()
    assert warnings == ["the recording /mnt/full ends here: No space left on device"]


def test_a_disk_that_is_full_from_the_beginning_is_an_error() -> None:
    with Path("/dev/full").open("wb", buffering=0) as full, pytest.raises(OSError, match="space"):
        Recorder(Told([]), full, "shop", "production")


async def test_a_disk_that_is_too_slow_ends_the_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "_PENDING_LIMIT", 1000)
    path = tmp_path / "a.ndjson"
    warnings: list[str] = []
    messages = [Update({"seq": 1, "more": "x" * 400})] * 5
    found = Recorder(Told(messages, ends=True), create(path), "shop", "production")
    found.warn = warnings.append
    heard = Heard()
    await found.run(heard.take)
    assert len(heard.messages) == 5
    assert warnings == [f"the recording {path} ends here: the disk is too slow"]


async def test_a_torn_last_line_is_the_end(tmp_path: Path) -> None:
    path = written(tmp_path / "a.ndjson", HEADER, {"t": 0, "update": {"seq": 1}})
    path.write_bytes(path.read_bytes() + b'{"t": 1, "upd')
    assert await replayed(path) == [Update({"seq": 1}), Ended()]


async def test_what_a_later_version_adds_is_ignored(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.ndjson",
        {**HEADER, "new": 1},
        {"t": 0, "smell": "smoke"},
        {"t": 0, "update": {"seq": 1}, "new": 1},
    )
    assert await replayed(path) == [Update({"seq": 1}), Ended()]


LINK = {"at": AT.isoformat(), "isUp": True}
DAMAGED = [
    ([], 1, "it is empty"),
    (["x"], 1, "it is not a JSON object"),
    ([{"name": "shop"}], 1, "it is no recording"),
    ([{**HEADER, "recording": 2}], 1, "it is a recording of format 2, and this is 1"),
    ([{"recording": 1, "environment": "a", "at": HEADER["at"]}], 1, "'project' is missing"),
    ([{**HEADER, "at": "yesterday"}], 1, "yesterday"),
    ([{**HEADER, "at": "2026-04-24T10:01:00"}], 1, "no time zone"),
    ([HEADER, {"update": {}}], 2, "`t` is no time"),
    ([HEADER, {"t": -1, "update": {}}], 2, "`t` is no time"),
    ([HEADER, {"t": 0, "update": []}], 2, "an object is missing"),
    ([HEADER, {"t": 0, "update": {}}, {"t": 0, "lines": {}}], 3, "a list is missing"),
    ([HEADER, {"t": 0, "lines": [{"message": "a"}]}], 2, "'timestamp' is missing"),
    ([HEADER, {"t": 0, "lines": [line("x", "a")]}], 2, "2026-04-24T10:01:xZ"),
    ([HEADER, {"t": 0, "lines": [{**line("01", "a"), "message": 1}]}], 2, "a text is missing"),
    ([HEADER, {"t": 0, "link": {**LINK, "isUp": 1}}], 2, "`link` is damaged"),
    ([HEADER, {"t": 0, "update": {"services": {"web": {}}}}], 2, "'name' is missing"),
    ([HEADER, {"t": 0, "update": {"services": 5}}], 2, ""),
]


@pytest.mark.parametrize(("entries", "number", "what"), DAMAGED)
def test_damage_is_one_line_that_says_where(
    tmp_path: Path, entries: list[Any], number: int, what: str
) -> None:
    path = written(tmp_path / "a.ndjson", *entries)
    with pytest.raises(ConfigError) as caught:
        ReplayFeed(path)
    assert caught.value.message.startswith(f"{path}:{number}: ")
    assert what in caught.value.message
    assert "\n" not in caught.value.message


def test_what_is_not_json_is_damage_in_the_middle_and_at_the_beginning(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    for content, number in (
        (b"\x80\x81", 1),
        (b"\x80\x81\n", 1),
        (json.dumps(HEADER).encode() + b"\n{\n{}\n", 2),
        (json.dumps(HEADER).encode() + b"\n{\n", 2),
    ):
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=f":{number}: it is not JSON"):
            ReplayFeed(path)


def three_updates(path: Path) -> Path:
    return written(path, HEADER, *({"t": t, "update": {"seq": t}} for t in (0, 10, 20)))


def test_jumping_to_a_moment(tmp_path: Path) -> None:
    feed = ReplayFeed(three_updates(tmp_path / "a.ndjson"))
    heard = Heard()
    assert feed.now() == AT
    feed.play_until(10, heard.take)
    assert [each["seq"] for each in heard.updates] == [0, 10]
    assert feed.now() == AT + timedelta(seconds=10)
    feed.play_until(5, heard.take)
    assert feed.now() == AT + timedelta(seconds=10)
    feed.play_until(1000, heard.take)
    assert len(heard.updates) == 3
    assert feed.now() == AT + timedelta(seconds=1000)


async def test_it_plays_at_its_own_pace_and_has_its_own_time(tmp_path: Path) -> None:
    feed = ReplayFeed(three_updates(tmp_path / "a.ndjson"), speed=100)
    times = []
    loop = asyncio.get_running_loop()
    began = loop.time()
    await feed.run(lambda _: times.append(feed.now() - AT))
    assert loop.time() - began >= 0.2
    assert times == [timedelta(seconds=t) for t in (0, 10, 20, 20)]


async def test_its_time_goes_on_between_messages_but_not_past_the_next(tmp_path: Path) -> None:
    feed = ReplayFeed(three_updates(tmp_path / "a.ndjson"), speed=1000)
    heard = Heard()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(feed.run(heard.take))
        moments = []
        while Ended() not in heard.messages:
            moments.append(feed.now())
            await asyncio.sleep(0)
    assert moments == sorted(moments)
    assert len(set(moments)) > 10
    assert max(moments) <= AT + timedelta(seconds=20)
