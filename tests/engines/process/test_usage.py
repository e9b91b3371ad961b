from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from core.engines.process import usage
from core.engines.process.usage import usage_of
from tests.engines.process.shims import WAITS, Shims

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.figures import FiguresRecorder

HOLD_MEMORY = """
import os, subprocess, sys, time
held = b"x" * 40_000_000
inner = 'import time; held = b"x" * 30_000_000; print("ready", flush=True); time.sleep(60)'
subprocess.run([sys.executable, "-S", "-c", inner])
"""
BURN = """
import os, time
def burn(seconds):
    while time.process_time() < seconds:
        pass
"""
BURN_IN_A_CHILD = (
    BURN
    + """
if os.fork() == 0:
    burn(0.3)
    os._exit(0)
os.wait()
print("burnt", flush=True)
time.sleep(60)
"""
)
BURN_AND_FAIL = BURN + "burn(0.2)\nos._exit(1)\n"


@pytest.fixture
def shims(home: Path) -> Iterator[Shims]:
    found = Shims(home)
    yield found
    found.close()


def test_the_whole_tree_counts_without_the_shim(shims: Shims) -> None:
    shim = shims.start(HOLD_MEMORY)
    shim.wait_text("ready")
    tree = psutil.Process(shim.process.pid).children(recursive=True)
    found = usage_of({"a": shim.process.pid})["a"]
    assert len(tree) == 2
    assert found.memory_bytes > 70_000_000
    assert found.memory_bytes == sum(each.memory_info().rss for each in tree)


def test_the_time_of_a_process_that_has_ended_counts(shims: Shims) -> None:
    shim = shims.start(BURN_IN_A_CHILD)
    shim.wait_text("burnt")
    assert len(psutil.Process(shim.process.pid).children(recursive=True)) == 1
    assert usage_of({"a": shim.process.pid})["a"].cpu_seconds >= 0.29


def test_the_time_never_falls_over_restarts(shims: Shims) -> None:
    shim = shims.start(WAITS + BURN_AND_FAIL, restart={"policy": "always", "maxRetries": None})
    client = shim.connect()
    client.keep()
    shim.go()
    before_s = 0.0
    for _ in range(2):
        client.wait_state("restarting")
        used_s = usage_of({"a": shim.process.pid})["a"].cpu_seconds
        assert used_s > before_s + 0.17  # of 0.2 s, which the kernel rounds down twice
        before_s = used_s


def test_a_process_that_is_not_there_has_no_usage(shims: Shims) -> None:
    shim = shims.start("pass")
    shim.wait()
    assert usage_of({"a": shim.process.pid}) == {}


def test_a_shim_whose_process_is_between_two_starts_uses_nothing(shims: Shims) -> None:
    fails = WAITS + "raise SystemExit(1)"
    shim = shims.start(fails, restart={"policy": "always", "maxRetries": None})
    client = shim.connect()
    client.keep()
    shim.go()
    client.wait_state("restarting")
    found = usage_of({"a": shim.process.pid})
    assert found.keys() == {"a"}


@pytest.mark.skipif(sys.platform != "linux", reason="Linux reads its own files")
def test_both_ways_of_looking_agree(shims: Shims, monkeypatch: pytest.MonkeyPatch) -> None:
    shim = shims.start(BURN_IN_A_CHILD)
    shim.wait_text("burnt")
    found = usage_of({"a": shim.process.pid})["a"]
    monkeypatch.setattr(usage, "_HAS_PROC", False)
    elsewhere = usage_of({"a": shim.process.pid})["a"]
    assert elsewhere.cpu_seconds == pytest.approx(found.cpu_seconds)
    assert elsewhere.memory_bytes == found.memory_bytes > 0


@pytest.mark.skipif(sys.platform != "linux", reason="reads files of the form of Linux")
def test_a_hundred_services_on_a_busy_machine_are_quick(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figures: FiguresRecorder
) -> None:
    def add(pid: int, parent: int, name: str, ticks: int) -> None:
        folder = tmp_path / str(pid)
        folder.mkdir()
        rest = f"S {parent} 1 1 0 -1 0 0 0 0 0 {ticks} {ticks} 1 1 20 0 1 0 99 4096000 200 99"
        (folder / "stat").write_text(f"{pid} ({name}) {rest} 0 0 0\n")
        (folder / "statm").write_text("1000 250 99 1 0 99 0\n")

    (tmp_path / "self").mkdir()  # not a process of its own
    (tmp_path / "999999").mkdir()  # ended before its file was opened
    shims = {f"dep_{number}.1": 1_000 + number * 10 for number in range(100)}
    for pid in shims.values():
        add(pid, 1, "python3", 1_000)
        for child in range(1, 10):
            add(pid + child, pid + child - 1, "a) b (c", 5)
    monkeypatch.setattr(usage, "_PROC", str(tmp_path))
    started = time.perf_counter()
    found = usage_of(shims)
    took_ms = (time.perf_counter() - started) * 1000
    figures("usage of 100 services among 1,000 processes", took_ms, "ms", 100)
    tick_s = 1 / os.sysconf("SC_CLK_TCK")
    assert found.keys() == shims.keys()
    for each in found.values():
        assert each.cpu_seconds == pytest.approx((9 * 12 + 2) * tick_s)
        assert each.memory_bytes == 9 * 250 * os.sysconf("SC_PAGE_SIZE")
