"""What systemd is told, over a socket of its kind."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from core.agent.notify import VARIABLE, Notifier

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("is_abstract", [False, True])
def test_it_is_told(monkeypatch: pytest.MonkeyPatch, home: Path, *, is_abstract: bool) -> None:
    name = f"{home.parent}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(f"\0{name}" if is_abstract else name)
        monkeypatch.setenv(VARIABLE, f"@{name}" if is_abstract else name)
        notifier = Notifier()
        assert VARIABLE not in os.environ
        notifier.status("waits")
        notifier.ready()
        notifier.stopping()
        assert [systemd.recv(4096).decode().splitlines()[0] for _ in range(3)] == [
            "STATUS=waits", "READY=1", "STOPPING=1",
        ]  # fmt: skip


def test_nobody_has_to_listen(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv(VARIABLE, f"{home}/nobody")
    Notifier().ready()
    Notifier().ready()  # as where none has started it
