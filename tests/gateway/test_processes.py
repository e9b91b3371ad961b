"""Which process is the gateway that was written down."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import psutil
import pytest

from core.gateway import processes
from core.gateway.processes import Process, Processes, born

if TYPE_CHECKING:
    from pathlib import Path


def us() -> Process:
    return Process(os.getpid(), psutil.Process().create_time(), born=born(os.getpid()))


def test_it_is_found_again_after_the_clock_was_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux tells when a process was started without the clock")
    processes.write(tmp_path / "envoy.json", Processes(us()))
    before = psutil.Process().create_time()
    boot = psutil._pslinux.boot_time()
    monkeypatch.setattr(psutil._pslinux, "boot_time", lambda: boot + 3600)
    assert psutil.Process().create_time() == before + 3600
    assert processes.read(tmp_path / "envoy.json").serving == us_as_written(before)


def us_as_written(created_at: float) -> Process:
    return replace(us(), created_at=created_at)


@pytest.mark.parametrize(
    "other",
    [
        replace(us(), pid=1),
        replace(us(), born="another-boot 12"),
        replace(us(), born=None, created_at=us().created_at - 1),
    ],
)
def test_another_process_with_its_pid_is_not_it(tmp_path: Path, other: Process) -> None:
    processes.write(tmp_path / "envoy.json", Processes(other))
    assert processes.read(tmp_path / "envoy.json") == Processes()


def test_one_that_an_earlier_version_has_started_is_found(tmp_path: Path) -> None:
    earlier = replace(us(), born=None)
    processes.write(tmp_path / "envoy.json", Processes(earlier))
    assert processes.read(tmp_path / "envoy.json").serving == earlier
