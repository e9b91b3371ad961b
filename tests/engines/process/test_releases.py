from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.engines.process import releases as module
from core.engines.process.recipe import Recipe
from core.engines.process.releases import Manifest, Releases, Taken
from core.engines.source.detect import NothingToRun
from core.engines.source.snapshot import Snapshot, SourceChanged, copy_to
from core.errors import CompartmentError, ConfigError
from core.files import write_atomically
from core.model import ServiceKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENVIRONMENT = {"PATH": os.environ["PATH"]}
RECIPE = Recipe("shop", ServiceKind.WEB, environment=ENVIRONMENT)
OLD = "art_" + "0" * 20


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "main.py").write_text("print(1)\n")
    return folder


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    return Releases(tmp_path / "releases")


def _left(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "releases").iterdir())


def _unheard(line: str) -> None:
    """For builds whose output does not matter."""


async def _take(releases: Releases, source: Path, recipe: Recipe = RECIPE) -> Taken:
    return await releases.take(source, source, recipe)


async def _make(
    releases: Releases, source: Path, recipe: Recipe = RECIPE, lines: list[str] | None = None
) -> Manifest:
    taken = await _take(releases, source, recipe)
    return await releases.build(taken, _unheard if lines is None else lines.append)


async def test_makes_an_artifact(releases: Releases, source: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    recipe = replace(
        RECIPE, build_command='echo "$WHO" | tee made; pwd', build_variables={"WHO": "you"}
    )
    manifest = await _make(releases, source, recipe, lines)
    folder = releases.folder_of(manifest.artifact_id)
    assert lines == ["you", str(folder)]
    assert (folder / "made").read_text() == "you\n"
    assert not (source / "made").exists()
    assert (manifest.command, manifest.because) == ("python3 main.py", "main.py")
    assert manifest.size_bytes == len("print(1)\nyou\n")
    assert releases.has(manifest.artifact_id)
    assert Releases(tmp_path / "releases").manifest(manifest.artifact_id) == manifest
    assert _left(tmp_path) == [manifest.artifact_id, f"{manifest.artifact_id}.json"]


async def test_the_same_content_is_taken_and_built_once(
    releases: Releases, source: Path, tmp_path: Path
) -> None:
    recipe = replace(RECIPE, build_command="echo built")
    lines: list[str] = []
    first = await _make(releases, source, recipe, lines)
    taken = await _take(releases, source, recipe)
    assert taken.copy is None
    assert taken.artifact_id == first.artifact_id == await releases.identify(source, source, recipe)
    assert await releases.build(taken, lines.append) == first
    assert lines == ["built"]
    assert len(_left(tmp_path)) == 2


async def test_two_that_ask_at_the_same_time_share_one_build(
    releases: Releases, source: Path, tmp_path: Path
) -> None:
    lines: list[str] = []
    recipe = replace(RECIPE, build_command="echo built")
    other = replace(recipe, service_name="other", kind=ServiceKind.API)
    one, two = await _take(releases, source, recipe), await _take(releases, source, other)
    assert one.copy != two.copy
    async with asyncio.TaskGroup() as group:
        first = group.create_task(releases.build(one, lines.append))
        second = group.create_task(releases.build(two, lines.append))
    assert first.result() == second.result()
    assert lines == ["built"]
    assert len(_left(tmp_path)) == 2


async def test_when_the_first_fails_the_second_builds(releases: Releases, source: Path) -> None:
    once = f"test -e {source.parent}/second || {{ touch {source.parent}/second; exit 1; }}"
    recipe = replace(RECIPE, build_command=once)
    one, two = await _take(releases, source, recipe), await _take(releases, source, recipe)
    results = await asyncio.gather(
        releases.build(one, _unheard), releases.build(two, _unheard), return_exceptions=True
    )
    assert isinstance(results[0], CompartmentError)
    assert isinstance(results[1], Manifest)


async def test_the_id_depends_on_all_that_is_built_from(releases: Releases, source: Path) -> None:
    async def identify(recipe: Recipe) -> str:
        return await releases.identify(source, source, recipe)

    ids = [
        await identify(RECIPE),
        await identify(replace(RECIPE, build_command="make")),
        await identify(replace(RECIPE, build_command="make", build_variables={"A": "1"})),
        await identify(replace(RECIPE, build_command="make", build_variables={"A": "2"})),
    ]
    same = [
        replace(RECIPE, service_name="other"),
        replace(RECIPE, environment={}),
        replace(RECIPE, timeout_s=1),
    ]
    assert {await identify(recipe) for recipe in same} == {ids[0]}
    runs = [replace(RECIPE, run_command="./a"), replace(RECIPE, run_command="./b")]
    assert len({await identify(recipe) for recipe in runs}) == 1
    (source / "Procfile").write_text("shop: a\nother: b\n")
    ids += [await identify(RECIPE), await identify(replace(RECIPE, service_name="other"))]
    assert len(set(ids)) == len(ids)


async def test_a_command_of_its_own_needs_no_detection(releases: Releases, source: Path) -> None:
    (source / "main.py").rename(source / "other.py")
    manifest = await _make(releases, source, replace(RECIPE, run_command="./other.py"))
    assert (manifest.command, manifest.because) == (None, "run.command")


async def test_nothing_to_run_is_noticed_before_the_copy_is_kept(
    releases: Releases, source: Path, tmp_path: Path
) -> None:
    (source / "main.py").rename(source / "other.py")
    with pytest.raises(NothingToRun):
        await _take(releases, source)
    with pytest.raises(NothingToRun):
        await releases.identify(source, source, RECIPE)
    assert _left(tmp_path) == []


async def test_what_is_run_may_be_made_by_the_build(releases: Releases, source: Path) -> None:
    (source / "main.py").rename(source / "other.py")
    manifest = await _make(releases, source, replace(RECIPE, build_command="mv other.py app.py"))
    assert manifest.command == "python3 app.py"


async def test_a_build_that_makes_nothing_to_run_fails(
    releases: Releases, source: Path, tmp_path: Path
) -> None:
    (source / "main.py").rename(source / "other.py")
    with pytest.raises(ConfigError, match="nothing says how to run"):
        await _make(releases, source, replace(RECIPE, build_command="true"))
    assert _left(tmp_path) == []


async def test_ignored_files_do_not_decide_how_it_is_run(releases: Releases, source: Path) -> None:
    (source / ".gitignore").write_text("/app.py\n")
    (source / "app.py").write_text("")  # beside main.py it would be one too many
    assert (await _make(releases, source)).command == "python3 main.py"


async def test_a_failed_build_leaves_nothing(
    releases: Releases, source: Path, tmp_path: Path
) -> None:
    lines: list[str] = []
    with pytest.raises(CompartmentError, match="the build ended with exit code 7"):
        await _make(releases, source, replace(RECIPE, build_command="echo why; exit 7"), lines)
    assert lines == ["why"]
    assert _left(tmp_path) == []


async def test_a_cancelled_build_leaves_nothing(
    releases: Releases, source: Path, tmp_path: Path
) -> None:
    taken = await _take(releases, source, replace(RECIPE, build_command="echo on; sleep 60"))
    started = asyncio.Event()
    task = asyncio.ensure_future(releases.build(taken, lambda _: started.set()))
    await asyncio.wait_for(started.wait(), 10)
    await releases.sweep()  # what is being built is not what a crash left
    assert taken.artifact_id in _left(tmp_path)
    assert await releases.prune(set()) == []
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert _left(tmp_path) == []


async def test_cancelling_while_copying_leaves_nothing(
    releases: Releases, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copying, go_on = threading.Event(), threading.Event()

    def slow_copy(snapshot: Snapshot, target: Path) -> None:
        copying.set()
        go_on.wait(60)
        copy_to(snapshot, target)

    monkeypatch.setattr(module, "copy_to", slow_copy)
    task = asyncio.ensure_future(_take(releases, source))
    await asyncio.to_thread(copying.wait, 10)
    task.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert _left(tmp_path) == []


async def test_cancelling_while_the_manifest_is_written_leaves_nothing(
    releases: Releases, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, go_on = threading.Event(), threading.Event()

    def slow_write(path: Path, data: bytes) -> None:
        write_atomically(path, data)
        written.set()
        go_on.wait(60)

    monkeypatch.setattr(module, "write_atomically", slow_write)
    task = asyncio.ensure_future(_make(releases, source))
    await asyncio.to_thread(written.wait, 10)
    task.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert _left(tmp_path) == []


@pytest.mark.parametrize(("changes", "succeeds"), [(1, True), (100, False)])
async def test_a_source_that_changes_while_it_is_copied_is_read_again(
    releases: Releases,
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: int,
    succeeds: bool,
) -> None:
    left = changes

    def busy_copy(snapshot: Snapshot, target: Path) -> None:
        nonlocal left
        if left:
            left -= 1
            (source / "main.py").write_text(f"print({left})\n")
        copy_to(snapshot, target)

    (source / "main.py").write_text("print('before')\n")
    monkeypatch.setattr(module, "copy_to", busy_copy)
    if not succeeds:
        with pytest.raises(SourceChanged, match=r"main\.py changed while it was being copied"):
            await _take(releases, source)
        assert _left(tmp_path) == []
        return
    taken = await _take(releases, source)
    assert taken.artifact_id == await releases.identify(source, source, RECIPE)
    assert taken.copy is not None
    assert (taken.copy / "main.py").read_text() == "print(0)\n"


async def test_what_is_built_is_what_was_taken(releases: Releases, source: Path) -> None:
    taken = await _take(releases, source)
    (source / "main.py").write_text("print('later')\n")
    await releases.build(taken, _unheard)
    built = releases.folder_of(taken.artifact_id) / "main.py"
    assert built.read_text() == "print(1)\n"


async def test_discard(releases: Releases, source: Path, tmp_path: Path) -> None:
    taken = await _take(releases, source)
    assert len(_left(tmp_path)) == 1
    await releases.discard(taken)
    await releases.discard(taken)
    assert _left(tmp_path) == []


async def test_sweep_removes_what_a_crash_left(
    releases: Releases, source: Path, tmp_path: Path
) -> None:
    kept = (await _make(releases, source)).artifact_id
    crashed = Releases(tmp_path / "releases")
    await crashed.take(source, source, replace(RECIPE, build_command="true"))
    folder = tmp_path / "releases"
    (folder / OLD / "locked").mkdir(parents=True)
    (folder / OLD / "locked").chmod(0o500)
    (folder / f"art_{'1' * 20}.json").write_text("{}")
    (folder / f".{OLD}.json.abc").write_text("{")
    (folder / f".{kept}.json.abc").write_text("{")
    (folder / f"removed_{'3' * 32}_7").mkdir()
    (folder / "notes.txt").write_text("not ours")
    mine = await _take(releases, source, replace(RECIPE, build_command="false"))
    await releases.sweep()
    assert mine.copy is not None
    assert _left(tmp_path) == sorted([kept, f"{kept}.json", "notes.txt", mine.copy.name])


async def test_prune(releases: Releases, source: Path, tmp_path: Path) -> None:
    kept = (await _make(releases, source)).artifact_id
    (source / "main.py").write_text("print(2)\n")
    old = (await _make(releases, source)).artifact_id
    assert await releases.prune({kept, OLD}) == [old]
    assert _left(tmp_path) == [kept, f"{kept}.json"]
    assert await releases.prune({kept}) == []


async def test_an_artifact_pruned_before_it_was_used_is_an_error(
    releases: Releases, source: Path
) -> None:
    await _make(releases, source)
    taken = await _take(releases, source)
    await releases.prune(set())
    with pytest.raises(CompartmentError, match="was removed before it could be used"):
        await releases.build(taken, _unheard)


async def test_nothing_there_yet(releases: Releases) -> None:
    await releases.sweep()
    assert await releases.prune(set()) == []
    assert releases.manifest(OLD) is None


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", "{}", '{"size_bytes": "many"}', "\0"])
async def test_a_damaged_manifest_is_as_good_as_none(
    releases: Releases, source: Path, damage: str
) -> None:
    manifest = await _make(releases, source)
    path = releases.folder_of(manifest.artifact_id).with_suffix(".json")
    known = json.loads(path.read_text())
    path.write_text(json.dumps({**known, "of_a_later_version": 1}))
    assert releases.manifest(manifest.artifact_id) == manifest
    path.write_text(
        json.dumps({**known, **json.loads(damage)}) if "size_bytes" in damage else damage
    )
    assert not releases.has(manifest.artifact_id)
    assert await _make(releases, source) == replace(
        manifest, created_at=(releases.manifest(manifest.artifact_id) or manifest).created_at
    )


async def test_a_manifest_of_another_artifact_does_not_count(
    releases: Releases, source: Path
) -> None:
    made = await _make(releases, source)
    path = releases.folder_of(made.artifact_id)
    path.rename(path.with_name(OLD))
    path.with_suffix(".json").rename(path.with_name(f"{OLD}.json"))
    assert not releases.has(OLD)
    assert not releases.has(made.artifact_id)


@pytest.mark.parametrize("name", ["..", "../releases", "", "art_x", f"{OLD}/", f"{OLD}\n"])
def test_odd_names_are_no_artifacts(releases: Releases, name: str) -> None:
    assert not releases.has(name)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    may_mount = os.geteuid() == 0 and shutil.which("mount")
    if not may_mount or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a disk that is full needs the right to mount one")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


async def test_a_full_disk(source: Path, small_disk: Path) -> None:
    releases = Releases(small_disk / "releases")
    (source / "big").write_bytes(b"x" * 2_000_000)
    with pytest.raises(CompartmentError) as caught:
        await _take(releases, source)
    assert caught.value.message == "the release cannot be written: No space left on device"
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("free some disk space")
    assert list((small_disk / "releases").iterdir()) == []


async def test_a_disk_that_the_build_fills(source: Path, small_disk: Path) -> None:
    releases = Releases(small_disk / "releases")
    recipe = replace(RECIPE, build_command="cat /dev/zero > big 2>/dev/null; true")
    with pytest.raises(CompartmentError, match="No space left on device"):
        await _make(releases, source, recipe)
    assert list((small_disk / "releases").iterdir()) == []


async def test_a_disk_that_is_read_only(source: Path, small_disk: Path) -> None:
    releases = Releases(small_disk / "releases")
    await _make(releases, source)
    remount = ["mount", "-o", "remount,ro", str(small_disk)]
    await asyncio.to_thread(subprocess.run, remount, check=True)
    (source / "main.py").write_text("print(2)\n")
    with pytest.raises(CompartmentError, match="Read-only file system"):
        await _take(releases, source)
    with pytest.raises(CompartmentError, match="Read-only file system"):
        await releases.prune(set())


async def test_the_event_loop_is_not_held_up(releases: Releases, source: Path) -> None:
    for number in range(600):
        (source / f"{number}.txt").write_text("x" * 1000)
    longest, last = 0.0, time.thread_time()
    task = asyncio.ensure_future(_make(releases, source))
    while not task.done():
        await asyncio.sleep(0)
        now = time.thread_time()
        longest, last = max(longest, now - last), now
    assert longest < 0.5
    await task
