from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest

from tests.load.access_log import AccessLog
from tests.load.lab import running_lab
from tests.load.load import Load
from tests.load.log_receiver import LogReceiver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINE = {"event": "request", "time": 1.5, "service": "web", "version": "1", "pid": 1}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "received.log"


@pytest.fixture
def receiver(path: Path) -> Iterator[LogReceiver]:
    with LogReceiver("127.0.0.1", path) as receiver:
        yield receiver


def sender(receiver: LogReceiver) -> socket.socket:
    host, _, port = receiver.url.removeprefix("tcp://").rpartition(":")
    return socket.create_connection((host, int(port)))


def test_what_was_sent_is_there_at_once_and_whole(receiver: LogReceiver, path: Path) -> None:
    with sender(receiver) as one, sender(receiver) as other:
        for number in range(500):
            line = json.dumps({**LINE, "id": str(number)}).encode() + b"\n"
            one.sendall(line[:20])
            other.sendall(line)
            one.sendall(line[20:])
            receiver.catch_up()
            assert len(AccessLog.read(path).events) == 2 * (number + 1)


def test_the_last_words_of_a_sender_arrive(receiver: LogReceiver, path: Path) -> None:
    with sender(receiver) as connection:
        connection.sendall(json.dumps(LINE).encode() + b"\nhalf a line")
    receiver.catch_up()
    assert [event.name for event in AccessLog.read(path).events] == ["request"]


async def test_the_lab_sends_every_request_before_it_is_killed(
    receiver: LogReceiver, path: Path, tmp_path: Path
) -> None:
    async with running_lab(tmp_path, access_log=receiver.url) as lab:
        async with Load(lab.target) as load:
            await load.has_sent(100)
        lab.process.kill()
        await lab.process.wait()
    receiver.catch_up()
    report = load.report()
    assert report.lost == ()
    assert AccessLog.read(path).not_exactly_once(report.ids) == {}
