from __future__ import annotations

import asyncio
import os
import resource
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from core.engines.source.build import GRACE_S, TIMEOUT_S, BuildResult, run_build
from core.errors import CompartmentError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ENVIRONMENT = {"PATH": os.environ["PATH"]}


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


def _is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def _build(command: str, cwd: Path, timeout_s: float = 15) -> tuple[BuildResult, list[str]]:
    lines: list[str] = []
    result = await run_build(command, cwd, ENVIRONMENT, lines.append, timeout_s)
    return result, lines


async def test_output_and_errors_come_in_order(tmp_path: Path) -> None:
    result, lines = await _build("echo a; echo b >&2; echo c; printf unfinished", tmp_path)
    assert lines == ["a", "b", "c", "unfinished"]
    assert result == BuildResult(0, None)
    assert result.is_success


async def test_runs_in_the_folder_with_the_given_environment_and_no_input(tmp_path: Path) -> None:
    os.environ["OF_THE_AGENT"] = "secret"
    try:
        _, lines = await _build('pwd; echo "[$OF_THE_AGENT]"; cat; echo done', tmp_path)
    finally:
        del os.environ["OF_THE_AGENT"]
    assert lines == [str(tmp_path), "[]", "done"]


@pytest.mark.parametrize(
    ("command", "expected", "said"),
    [
        ("exit 3", BuildResult(3, None), "the build ended with exit code 3"),
        ("no-such-tool", BuildResult(127, None), "the build ended with exit code 127"),
        ("kill -9 $$", BuildResult(None, 9), "the build was ended by SIGKILL"),
    ],
)
async def test_failures_say_how(
    tmp_path: Path, command: str, expected: BuildResult, said: str
) -> None:
    result, _ = await _build(command, tmp_path)
    assert result == expected
    assert str(result) == said
    assert not result.is_success


async def test_too_long_is_a_failure_that_says_so(tmp_path: Path) -> None:
    result, lines = await _build("echo started; sleep 60", tmp_path, timeout_s=0.3)
    assert lines == ["started"]
    assert str(result) == "the build did not finish within 0.3 s: ended"
    assert not result.is_success
    assert "within 30 min" in str(BuildResult(None, 15, TIMEOUT_S))


async def test_ending_well_on_sigterm_after_the_time_limit_is_still_a_failure(
    tmp_path: Path,
) -> None:
    result, _ = await _build("trap 'exit 0' TERM; sleep 60 & wait", tmp_path, timeout_s=0.3)
    assert result.exit_code == 0
    assert not result.is_success


@pytest.mark.parametrize("trap", ["", "trap '' TERM; "])
async def test_cancelling_ends_the_whole_group_first(tmp_path: Path, trap: str) -> None:
    lines: list[str] = []
    command = f"{trap}sleep 60 & echo $$; echo $!; wait; sleep 60"
    task = asyncio.ensure_future(run_build(command, tmp_path, ENVIRONMENT, lines.append))
    await _until(lambda: len(lines) == 2)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()  # impatience does not leave processes behind
    with pytest.raises(asyncio.CancelledError):
        await task
    await _until(lambda: not any(_is_running(int(pid)) for pid in lines))


async def test_nothing_is_left_after_success(tmp_path: Path) -> None:
    started = time.monotonic()
    result, lines = await _build("sleep 60 & echo $!", tmp_path)
    assert result.is_success
    assert not _is_running(int(lines[0]))
    assert time.monotonic() - started < GRACE_S


async def test_a_process_that_left_the_group_cannot_hold_the_build_up(tmp_path: Path) -> None:
    result, lines = await _build(
        "setsid sh -c 'echo $$; touch ready; exec sleep 60' &"
        " while [ ! -e ready ]; do sleep 0.01; done",
        tmp_path,
    )
    psutil.Process(int(lines[0])).kill()
    assert result.is_success


async def test_much_output_needs_little_memory(tmp_path: Path) -> None:
    count, size = 0, 0

    def take(line: str) -> None:
        nonlocal count, size
        count += 1
        size = max(size, len(line))

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    command = "head -c 60000000 /dev/zero | tr '\\0' x; echo; seq 200000"
    result = await run_build(command, tmp_path, ENVIRONMENT, take)
    assert result.is_success
    assert count == 200_001
    assert size < 20_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000


async def test_no_files_stay_open(tmp_path: Path) -> None:
    await _build("true", tmp_path)
    before = psutil.Process().num_fds()
    for _ in range(5):
        await _build("echo a", tmp_path)
    with pytest.raises(CompartmentError):
        await _build("true", tmp_path / "nowhere")
    await asyncio.sleep(0)
    assert psutil.Process().num_fds() <= before


async def test_a_process_without_a_descriptor_left_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("os.pipe", refuse)
    with pytest.raises(CompartmentError, match="Too many open files"):
        await _build("true", tmp_path)


@pytest.mark.parametrize("command", ["true\0", "true " + "x" * 3_000_000])
async def test_what_cannot_be_started_says_so(tmp_path: Path, command: str) -> None:
    with pytest.raises(CompartmentError, match="the command cannot be started"):
        await _build(command, tmp_path)
