"""The journal's write-ahead log is cut at any byte, and opens at the last whole commit.

What an agent commits stands in the log before it acts on it. After a power cut the end of that file
may be missing, or be something else. So the log is cut at each place around the end of each of its
frames, in each byte of their headers and at many others, and once more with noise in the place of
what was cut off. However that is, the journal opens, and every row of every table is what it was
right after the last commit that is whole: nothing older is lost, nothing of a later one is seen.
The same for a log that was used before and holds old frames behind its end, and for the index of it
(`journal.db-shm`), which may be missing or noise.

In the end a real agent is killed and its log cut under it. It starts, what it says is active is
what answers, and the next deploy works. If so much is cut that more is live than the journal knows
of, no agent starts before the journal was made anew. No request is lost.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from core.agent.rebuilding import rebuild
from core.errors import JournalDamaged
from core.journal import Journal
from tests.e2e.clients import get
from tests.e2e.house import kill
from tests.load.load import Load
from tests.proof.crash_facts import Expected
from tests.proof.crash_truth import until_true
from tests.proof.journal_cuts import (
    FRAME_HEADER_BYTES,
    HEADER_BYTES,
    PAGE_BYTES,
    committed,
    content,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.house import House, LabProject
    from tests.figures import FiguresRecorder

LIMIT_S = 60.0


@pytest.mark.parametrize("is_begun_anew", [False, True], ids=["new", "used-before"])
@pytest.mark.timeout(500)
async def test_cut_at_any_byte(
    tmp_path: Path,
    counts: FiguresRecorder,
    extent: Callable[[int, int], int],
    is_begun_anew: bool,
) -> None:
    commits = await committed(tmp_path, is_begun_anew=is_begun_anew)
    rng = random.Random(7)
    size = len(commits.log)
    # On both sides of the end of each commit; the others are drawn from where it may be close.
    sure = {0, size, *(end - near for end, _ in commits.ends for near in (0, 1))}
    drawn = sorted({*commits.places(), *(rng.randrange(size) for _ in range(500))})
    places = sure | set(rng.sample(drawn, extent(15, len(drawn))))
    seen = set()
    for number, place in enumerate(sorted(places)):
        log = commits.log[:place]
        for how, left in (("cut", log), ("noise", log + rng.randbytes(size - place))):
            path = commits.copied(tmp_path / f"{number}-{how}", left)
            assert await opened(path) == commits.at(place), f"{how} at {place} of {size}"
            shutil.rmtree(path.parent)
            seen.add(len(commits.at(place)["runs"]))
    # Before the first commit, after the last one and between all of them.
    assert len(seen) == len(commits.ends) + 1
    counts("journals opened after a cut", 2 * len(places), "cases")


async def test_the_index_of_the_log_is_made_anew(tmp_path: Path) -> None:
    commits = await committed(tmp_path, is_begun_anew=False)
    noise = random.Random(5).randbytes(65536)
    for number, index in enumerate((b"", b"\0", b"\xff" * 32768, noise)):
        path = commits.copied(tmp_path / f"copy{number}", commits.log)
        path.with_name("journal.db-shm").write_bytes(index)
        assert await opened(path) == commits.at(len(commits.log))


async def opened(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """What a journal holds once it was opened as an agent opens it, and closed again."""
    journal = Journal(path)
    await journal.open()
    await journal.close()
    return content(path)


def frames_from_the_end(log: bytes, count: int) -> int:
    """Where the last frames of a log begin, in bytes, and half of the first of them is left."""
    frame = FRAME_HEADER_BYTES + PAGE_BYTES
    whole = (len(log) - HEADER_BYTES) // frame
    return HEADER_BYTES + max(0, whole - count) * frame + frame // 2


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "frames", [1, *(pytest.param(count, marks=pytest.mark.whole) for count in (4, 12, 30, 100))]
)
async def test_cut_under_an_agent(
    running: House, lab: LabProject, counts: FiguresRecorder, frames: int
) -> None:
    lab.write(web={}, backoffice={"kind": "api"})
    await running.deployed(lab, label="v1")
    lab.bump()
    async with Load(await running.target()) as load:
        await running.deployed(lab, label="v2")
        kill(await running.agent_pid())
        log = running.home.root / "journal.db-wal"
        whole = log.read_bytes()
        log.write_bytes(whole[: frames_from_the_end(whole, frames)])
        began = time.monotonic()
        is_refused = await refused(running)
        expected = Expected(lab.name, "production", frozenset({"web", "backoffice"}))
        if not is_refused:
            seconds = await until_true(running, expected, LIMIT_S) - began
            counts(f"until all is as it must be, {frames} frames cut", seconds, "s", 5)
        lab.bump()
        await running.deployed(lab, label="v3")
        if not is_refused:  # else the events of what was cut off are missing
            await until_true(running, expected, LIMIT_S)
        assert {name: len(found) for name, found in (await running.active(lab)).items()} == {
            "web": 1,
            "backoffice": 1,
        }
        assert (await get(await running.target(), "/version")).version == "v3"
    assert [str(loss) for loss in load.report().lost] == []


async def refused(running: House) -> bool:
    """Starts an agent; one that finds more live than its journal knows of has it made anew."""
    try:
        await running.client.attach()
    except JournalDamaged:
        await asyncio.to_thread(rebuild, running.home)
        await running.client.attach()
        return True
    return False
